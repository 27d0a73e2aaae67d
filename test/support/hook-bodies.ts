/** Messages as the senders' own documentation shows them. */

export const alertmanagerMessage = {
  version: "4",
  groupKey: '{}/{severity="page"}:{alertname="HighLatency"}',
  truncatedAlerts: 0,
  status: "firing",
  receiver: "vakhta",
  groupLabels: { alertname: "HighLatency" },
  commonLabels: { alertname: "HighLatency", job: "api", severity: "page" },
  commonAnnotations: {},
  externalURL: "http://alertmanager.example.org:9093",
  // Newer servers add these.
  routeLabels: { team: "core" },
  notification_reason: "first notification",
  alerts: [
    {
      status: "firing",
      labels: { alertname: "HighLatency", job: "api", instance: 'a"1:9090', severity: "page" },
      annotations: {
        summary: "Latency is high on a1",
        description: "The 99th percentile is 2.4 s.",
        runbook_url: "https://runbooks.example.org/latency",
        dashboard_url: "https://grafana.example.org/d/latency",
        impact: "customers wait",
      },
      startsAt: "2026-03-01T02:58:11.739266876+00:00",
      endsAt: "0001-01-01T00:00:00Z",
      generatorURL: "http://prometheus.example.org:9090/graph?g0.expr=latency&g0.tab=1",
      fingerprint: "c6eadffa33fcdf37",
    },
    {
      status: "resolved",
      labels: { alertname: "HighLatency", job: "api", instance: "b1:9090", severity: "warning" },
      annotations: {},
      startsAt: "2026-03-01T02:50:00Z",
      endsAt: "2026-03-01T02:59:00Z",
      generatorURL: "",
      fingerprint: "d1e2",
    },
  ],
};

export const grafanaMessage = {
  receiver: "Vakhta",
  status: "firing",
  orgId: 1,
  alerts: [
    {
      status: "firing",
      labels: { alertname: "High memory usage", team: "blue", zone: "us-1" },
      annotations: {
        description: "The system has high memory usage",
        runbook_url: "https://myrunbook.com/runbook/1234",
        summary: "This alert was triggered for zone us-1",
      },
      startsAt: "2021-10-12T09:51:03.157076+02:00",
      endsAt: "0001-01-01T00:00:00Z",
      generatorURL: "https://play.grafana.org/alerting/1afz29v7z/edit",
      fingerprint: "c6eadffa33fcdf37",
      silenceURL:
        "https://play.grafana.org/alerting/silence/new?alertmanager=grafana&matchers=alertname%3DT2%2Cteam%3Dblue%2Czone%3Dus-1",
      dashboardURL: "https://play.grafana.org/d/abc",
      panelURL: "https://play.grafana.org/d/abc?viewPanel=1",
      imageURL: "",
      ruleUID: "afz29v7z",
      values: { B: 44.23943737541908, C: 1 },
      valueString: "[ var='B' labels={} value=44.23943737541908 ]",
    },
    {
      status: "firing",
      labels: { alertname: "High CPU usage", team: "blue", zone: "eu-1" },
      annotations: {},
      startsAt: "2021-10-12T09:56:03.157076+02:00",
      endsAt: "0001-01-01T00:00:00Z",
      generatorURL: "https://play.grafana.org/alerting/d1rdpdv7k/edit",
      fingerprint: "bc97ff14869b13e3",
      silenceURL: "",
      dashboardURL: "",
      panelURL: "",
      values: null,
      valueString: "[ var='A' value=3 ]",
    },
  ],
  groupLabels: {},
  commonLabels: { team: "blue" },
  commonAnnotations: {},
  externalURL: "https://play.grafana.org/",
  version: "1",
  groupKey: "{}:{}",
  truncatedAlerts: 0,
  title: "[FIRING:2]  (blue)",
  state: "alerting",
  message: "**Firing**\n\nLabels:\n - alertname = T2",
};

export const minioMessage = {
  EventName: "s3:ObjectCreated:Put",
  Key: "vexination/reports/march 1.pdf",
  Records: [
    {
      eventVersion: "2.0",
      eventSource: "minio:s3",
      awsRegion: "",
      eventTime: "2023-06-05T11:04:06.851Z",
      eventName: "s3:ObjectCreated:Put",
      userIdentity: { principalId: "admin" },
      requestParameters: { principalId: "admin", region: "", sourceIPAddress: "10.89.1.9" },
      responseElements: {
        "content-length": "0",
        "x-amz-request-id": "1765BE755F95378E",
        "x-minio-deployment-id": "7637fbd9-a700-4918-bc9d-f7929adf0d8f",
        "x-minio-origin-endpoint": "http://10.89.1.9:9000",
      },
      s3: {
        s3SchemaVersion: "1.0",
        configurationId: "Config",
        bucket: { name: "vexination", ownerIdentity: { principalId: "admin" }, arn: "arn:aws:s3:::vexination" },
        object: {
          key: "reports%2Fmarch+1.pdf",
          size: 2851,
          eTag: "8aebf225551d1a9c71914a91bf36c7e3",
          contentType: "application/octet-stream",
          userMetadata: { "content-type": "application/octet-stream" },
          sequencer: "1765BE756000DEDE",
        },
      },
      source: { host: "10.89.1.9", port: "", userAgent: "MinIO (linux; amd64) minio-go/v7.0.52" },
    },
  ],
};

export const sentryEventAlert = {
  action: "triggered",
  actor: { id: "sentry", name: "Sentry", type: "application" },
  data: {
    event: {
      culprit: "?(<anonymous>)",
      datetime: "2019-08-19T21:06:17.677000Z",
      event_id: "e4874d664c3540c1a32eab185f12c5ab",
      issue_url: "https://sentry.io/api/0/issues/1117540176/",
      issue_id: "1117540176",
      level: "error",
      message: "",
      platform: "javascript",
      project: 1,
      title: "ReferenceError: heck is not defined",
      type: "error",
      url: "https://sentry.io/api/0/projects/test-org/front-end/events/e4874d664c3540c1a32eab185f12c5ab/",
      web_url: "https://sentry.io/organizations/test-org/issues/1117540176/events/e4874d664c3540c1a32eab185f12c5ab/",
    },
    triggered_rule: "Very Important Alert Rule!",
  },
  installation: { uuid: "a8e5d37a-696c-4c54-adb5-b3f28d64c7de" },
};

export const sentryIssue = {
  action: "resolved",
  actor: { id: "sentry", name: "Sentry", type: "application" },
  data: {
    issue: {
      culprit: "?(runner)",
      count: "1",
      firstSeen: "2019-08-19T20:58:37.391000Z",
      id: "1117540176",
      lastSeen: "2019-08-19T20:58:37.391000Z",
      level: "error",
      metadata: { filename: "/runner", type: "ReferenceError", value: "heck is not defined" },
      project: { id: "1", name: "front-end", platform: "", slug: "front-end" },
      shortId: "FRONT-END-9",
      status: "resolved",
      title: "ReferenceError: heck is not defined",
      web_url: "https://sentry.io/organizations/test-org/issues/1117540176/",
    },
  },
  installation: { uuid: "a8e5d37a-696c-4c54-adb5-b3f28d64c7de" },
};

export const sentryMetricAlert = {
  action: "critical",
  actor: { id: "sentry", name: "Sentry", type: "application" },
  data: {
    description_text: "1000 events in the last 10 minutes\\nFilter: level:error",
    description_title: "Critical: Too many errors",
    metric_alert: {
      alert_rule: { id: "7", name: "Too many errors", projects: ["bar"] },
      date_started: "2020-09-13T12:26:40.000000Z",
      id: "4",
      projects: ["bar"],
      title: "Sacred Marmot",
    },
    web_url: "https://sentry.io/organizations/baz/alerts/1/",
  },
  installation: { uuid: "a8e5d37a-696c-4c54-adb5-b3f28d64c7de" },
};
