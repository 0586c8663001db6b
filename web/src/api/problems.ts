// What can go wrong between the page and its server, as three kinds that pages treat differently.

/** The server refused: the API's own words. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(
    readonly code: number,
    readonly status: string,
    message: string,
  ) {
    super(message);
  }
}

/** Nobody is signed in any more. */
export class SignedOut extends Error {
  override readonly name = "SignedOut";
}

/** No answer came: the network or the server is away. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

export async function problemOf(answer: Response): Promise<Error> {
  const text = await answer.text().catch(() => "");
  let found: { code?: number; status?: string; message?: string } | undefined;
  try {
    found = (JSON.parse(text) as { error?: typeof found }).error;
  } catch {
    found = undefined;
  }
  if (answer.status === 401) return new SignedOut(found?.message ?? "");
  if ([502, 503, 504].includes(answer.status) && !found) return new Unreachable("");
  return new ApiError(answer.status, found?.status ?? String(answer.status), found?.message ?? text.slice(0, 500));
}
