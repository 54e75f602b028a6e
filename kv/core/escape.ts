/**
 * Escaping and joining the parts of a key.
 *
 * @module
 */

/*
 * Parts are joined by "!". The characters up to and including '"' are written
 * as '"' and the character 35 places further on, so that none of them remains
 * but the separator and the escape. As "!" < '"' < everything else, a
 * comparison of bytes (or code points) orders encoded keys as the contract
 * orders keys, and all keys under a prefix P stand between P and P + '"'. The
 * result is printable, and URLs pass unchanged.
 */
export const SEPARATOR = "!";
export const ESCAPE = '"';
const SHIFT = 35;
const TO_ESCAPE = /[^#-\uffff]/;
const TO_ESCAPE_ALL = new RegExp(TO_ESCAPE, "g");
const ESCAPED_ALL = /"(.)/g;

/** Up to this length, looking at each character is faster than a call. */
const SHORT_PART = 4;

/** Escapes a part. */
export function escapePart(part: string): string {
  return TO_ESCAPE.test(part) ? part.replace(TO_ESCAPE_ALL, escape) : part;
}

function escape(character: string): string {
  return ESCAPE + String.fromCharCode(character.charCodeAt(0) + SHIFT);
}

/** Returns the part that was escaped. */
export function unescapePart(escaped: string): string {
  return escaped.replace(ESCAPED_ALL, unescape);
}

function unescape(_match: string, character: string): string {
  return String.fromCharCode(character.charCodeAt(0) - SHIFT);
}

/** Escapes and joins many parts; a run of empty ones costs little. */
export function joinEscaped(key: readonly string[]): string {
  const pieces: string[] = [];
  let empty = 0;
  for (let i = 0; i < key.length; i++) {
    const part = key[i]!;
    if (part === "") {
      empty++;
      continue;
    }
    const piece = isShortAndPlain(part) ? part : escapePart(part);
    pieces.push(empty === 0 ? piece : SEPARATOR.repeat(empty) + piece);
    empty = 0;
  }
  // Joining writes the separator before each piece but the first.
  if (empty > 0) pieces.push(SEPARATOR.repeat(empty - 1));
  return pieces.join(SEPARATOR);
}

/** Whether a short part is well-formed and free of what is escaped. */
export function isShortAndPlain(part: string): boolean {
  if (part.length > SHORT_PART) return false;
  for (let i = 0; i < part.length; i++) {
    const unit = part.charCodeAt(i);
    if (unit <= 0x22 || (unit & 0xf800) === 0xd800) return false;
  }
  return true;
}
