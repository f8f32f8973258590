/* Times: how long ago, and when exactly, in the reader's language. */

const STEPS = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

const ago = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const short = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

export function relativeTime(ms, nowMs) {
  const seconds = Math.round((ms - nowMs) / 1000);
  for (const [unit, length] of STEPS) {
    if (Math.abs(seconds) >= length) return ago.format(Math.trunc(seconds / length), unit);
  }
  /* Clocks differ a little: what was done a second from now was done now. */
  return seconds > -10 ? ago.format(0, 'second') : ago.format(seconds, 'second');
}

export function absoluteTime(ms) {
  return short.format(ms);
}

export function fullTime(ms) {
  return full.format(ms);
}
