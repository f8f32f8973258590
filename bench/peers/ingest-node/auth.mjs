// Bearer tokens: JWTs signed with HS256. What was verified is remembered until it expires, as ingest does.
import { createHmac, timingSafeEqual } from 'node:crypto';

const REMEMBERED_MAX = 4096;
const LEEWAY_S = 60;

export class Tokens {
  #secret;
  #claims = new Map();

  constructor(secret) {
    this.#secret = secret;
  }

  /** The claims of the header's token; null when it does not hold. */
  claims(authorization) {
    if (!authorization?.startsWith('Bearer ')) return null;
    const token = authorization.slice(7);
    let claims = this.#claims.get(token);
    if (!claims) {
      claims = this.#verify(token);
      if (!claims) return null;
      if (this.#claims.size >= REMEMBERED_MAX) this.#claims.clear();
      this.#claims.set(token, claims);
    }
    return claims.exp + LEEWAY_S > Date.now() / 1000 ? claims : null;
  }

  #verify(token) {
    try {
      const [head, body, signature, more] = token.split('.');
      if (more !== undefined || JSON.parse(Buffer.from(head, 'base64url')).alg !== 'HS256') return null;
      const given = Buffer.from(signature, 'base64url');
      const right = createHmac('sha256', this.#secret).update(`${head}.${body}`).digest();
      if (given.length !== right.length || !timingSafeEqual(given, right)) return null;
      const { tenant, sub, exp, scope = '' } = JSON.parse(Buffer.from(body, 'base64url'));
      if (typeof tenant !== 'string' || typeof sub !== 'string' || typeof exp !== 'number') return null;
      return { tenant, sub, exp, mayPublish: scope.split(' ').includes('publish') };
    } catch {
      return null;
    }
  }
}
