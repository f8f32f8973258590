/* Sentences: an entry as parts of a sentence. The parts are data, not markup: whoever shows them decides how, and only
 * as text, because every word of an entry comes from somebody else. */

/* verb: what is said between the actor and the object, and between the object and the target. */
const PHRASES = {
  comment: ['commented on', 'in'],
  commit: ['committed', 'to'],
  coauthor: ['co-authored', 'in'],
  create: ['created', 'in'],
  follow: ['started following', 'in'],
  join: ['joined', 'in'],
  like: ['liked', 'in'],
  merge: ['merged', 'into'],
  post: ['posted', 'in'],
  review: ['reviewed', 'in'],
  share: ['shared', 'in'],
  star: ['starred', 'in'],
};

const SPOKEN_FOR_ITSELF = new Set(['user', 'commit', 'repository']);

/** Parts are {kind: 'person' | 'word' | 'thing', text}; `viewer` is called "you". */
export function sentenceOf(entry, viewer) {
  const [does, where] = Object.hasOwn(PHRASES, entry.verb) ? PHRASES[entry.verb] : [`did “${entry.verb}” on`, 'in'];
  const parts = [person(entry.actor, viewer), word(does), ...refParts(entry.object, viewer, quoteOf(entry) !== undefined)];
  if (entry.target) parts.push(word(where), ...refParts(entry.target, viewer, false));
  return parts;
}

/** The text that came along, if any. */
export function quoteOf(entry) {
  const { data } = entry;
  return typeof data === 'object' && data !== null && typeof data.text === 'string' && data.text !== '' ? data.text : undefined;
}

export function plainText(entry, viewer) {
  const quote = quoteOf(entry);
  const sentence = sentenceOf(entry, viewer).map(({ text }) => text).join(' ');
  return quote === undefined ? sentence : `${sentence}: ${quote}`;
}

/* With a quote beneath, the id of what was written says nothing more. */
function refParts(ref, viewer, quoted) {
  if (ref.type === 'user') return [person(ref.id, viewer)];
  if (quoted) return [word(`${article(ref.type)} ${ref.type}`)];
  const thing = { kind: 'thing', text: ref.id };
  return SPOKEN_FOR_ITSELF.has(ref.type) ? [thing] : [word(ref.type), thing];
}

function person(name, viewer) {
  return name === viewer ? word('you') : { kind: 'person', text: name };
}

function word(text) {
  return { kind: 'word', text };
}

function article(noun) {
  return /^[aeiou]/.test(noun) ? 'an' : 'a';
}
