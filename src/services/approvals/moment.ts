import type { Config } from "../../app/config.ts";
import type { Moment } from "../../core/approval.ts";
import type { ApprovalPolicyName } from "../../core/approval-policy.ts";
import type { Clock } from "../../core/ports.ts";

/** What is in force now: the clock, the listed people, the policy. */
export function momentOf(
  { config, clock }: { readonly config: Pick<Config, "approvals" | "telegram" | "recovery">; readonly clock: Clock },
  policy: ApprovalPolicyName,
): Moment {
  return {
    now: clock.now(),
    roleOf: (id) => config.telegram?.users.find((user) => user.id === id)?.role,
    policy: config.approvals[policy],
    stands: (standing) => standing === "recovery" && config.recovery.auto === "on",
  };
}
