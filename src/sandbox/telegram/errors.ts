/** Extra fields of a Bot API error. */
export interface ResponseParameters {
  readonly migrate_to_chat_id?: number;
  readonly retry_after?: number;
}

/** What a Bot API method answers instead of a result; `description` carries the real server's text. */
export class BotApiError extends Error {
  readonly code: number;
  readonly description: string;
  readonly parameters: ResponseParameters | undefined;

  constructor(code: number, description: string, parameters?: ResponseParameters) {
    super(`${code}: ${description}`);
    this.name = "BotApiError";
    this.code = code;
    this.description = description;
    this.parameters = parameters;
  }
}

/** 400 with the server's habit of starting the text in lower case unless it is a CODE_LIKE_THIS. */
export function badRequest(text: string, parameters?: ResponseParameters): BotApiError {
  const second = text[1] ?? "";
  const shout = second !== second.toLowerCase() || second === "_";
  const body = shout ? text : text.charAt(0).toLowerCase() + text.slice(1);
  return new BotApiError(400, `Bad Request: ${body}`, parameters);
}

export function forbidden(text: string): BotApiError {
  return new BotApiError(403, `Forbidden: ${text}`);
}

export function conflict(text: string): BotApiError {
  return new BotApiError(409, `Conflict: ${text}`);
}

/** 429 with `retry_after` in whole seconds. */
export function tooManyRequests(retryAfter: number): BotApiError {
  return new BotApiError(429, `Too Many Requests: retry after ${retryAfter}`, { retry_after: retryAfter });
}

/** What a request on the sandbox's own surface did wrong: status 400 or 404. */
export class SandboxError extends Error {
  readonly status: 400 | 404;

  constructor(message: string, status: 400 | 404 = 400) {
    super(message);
    this.name = "SandboxError";
    this.status = status;
  }
}
