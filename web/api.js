/* What the page asks of its own server (people, tokens, addresses) and of ingest. Every failure becomes an Error with
 * a sentence that can be shown. */

async function getJson(path) {
  let response;
  try {
    response = await fetch(path, { signal: AbortSignal.timeout(10_000) });
  } catch {
    throw new Error('The server of this page does not answer.');
  }
  if (!response.ok) throw new Error(await problemText(response));
  return response.json();
}

async function problemText(response) {
  try {
    const problem = await response.json();
    /* The page sends one activity at a time, so what is wrong with it says more than that one of one is wrong. */
    const [fault] = problem.errors ?? [];
    if (fault !== undefined) return `${fault.field} ${fault.detail}`;
    return problem.detail ?? problem.title ?? problem.error ?? `HTTP ${response.status}`;
  } catch {
    return `The server answered with status ${response.status}.`;
  }
}

export const getConfig = () => getJson('api/config');
/** [{user, followers, following, activities}], the busiest first. */
export const getPeople = () => getJson('api/people');
export const getFollowing = (user) => getJson(`api/following?user=${encodeURIComponent(user)}`);
export const getToken = async (user) => (await getJson(`api/token?user=${encodeURIComponent(user)}`)).token;

/** Returns once Kafka has it. `ingest` is the address to post to. */
export async function postActivity(ingest, token, activity) {
  let response;
  try {
    response = await fetch(ingest, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(activity),
      signal: AbortSignal.timeout(30_000),
    });
  } catch {
    throw new Error('Ingest does not answer.');
  }
  if (response.status !== 202) throw new Error(await problemText(response));
}
