/**
 * A strict tokenizer for CBOR: it rejects what cborg alone would read as
 * something else.
 *
 * @module
 */

import { type Token, Tokenizer, Type } from "cborg";
import { MAX_DEPTH } from "./limits.ts";

/** Tag 55799 marks self-described CBOR and stands in front of all else. */
const SELF_DESCRIBED = 55799;

const numbers = [Type.uint, Type.negint, Type.float];

/** What the tags other than those of typed arrays, which hold bytes, hold. */
const contents: Readonly<Record<number, readonly Type[]>> = {
  1: numbers,
  27: [Type.array],
  258: [Type.array],
  259: [Type.map],
};

const bytesOnly = [Type.bytes];

/** An array or a map whose items are being read. */
interface Container {
  readonly parent: Container | undefined;
  readonly depth: number;
  /** How many items are still to come. */
  left: number;
  /** Whether it becomes an object. */
  readonly isObject: boolean;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads tokens and checks what each depends on: the type of a tag's content,
 * the depth, that strings are UTF-8, and that no member is `undefined`.
 */
export class StrictTokenizer extends Tokenizer {
  /** The innermost container. */
  #container: Container | undefined = undefined;
  #tag: number | undefined = undefined;

  /** Reads the next token. */
  override next(): Token {
    const start = this.pos();
    const token = super.next();
    const { type } = token;
    const tag = this.#tag;
    if (tag === undefined) this.#countItem(type);
    else if (tag !== SELF_DESCRIBED) checkContent(tag, type);
    this.#tag = undefined;
    if (type === Type.tag) {
      if (token.value === SELF_DESCRIBED && start > 0) {
        throw new SyntaxError("a value inside is marked as self-described");
      }
      this.#tag = token.value;
    } else if (type === Type.array) {
      this.#enter(token.value, false);
    } else if (type === Type.map) {
      this.#enter(2 * token.value, tag !== 259);
    } else if (type === Type.string) {
      this.#checkText(token, start);
    }
    return token;
  }

  /** Counts an item of the innermost container that is not complete. */
  #countItem(type: Type): void {
    let container = this.#container;
    while (container?.left === 0) container = container.parent;
    this.#container = container;
    if (container === undefined) return;
    container.left--;
    if (
      type === Type.undefined && container.isObject && container.left % 2 === 0
    ) throw new SyntaxError("a member is undefined");
  }

  #enter(left: number, isObject: boolean): void {
    const parent = this.#container;
    const depth = (parent?.depth ?? 0) + 1;
    if (depth > MAX_DEPTH) {
      throw new SyntaxError(`it is nested more than ${MAX_DEPTH} levels deep`);
    }
    this.#container = { parent, depth, left, isObject };
  }

  /** Decodes again what may have lost a byte order mark or invalid bytes. */
  #checkText(token: Token, start: number): void {
    const minor = this.data[start]! & 31;
    const head = minor < 24 ? 1 : 1 + (1 << (minor - 24));
    if (
      this.data[start + head] === 0xef || token.value.includes("\ufffd")
    ) {
      const bytes = this.data.subarray(start + head, this.pos());
      token.value = decoder.decode(bytes);
    }
  }
}

function checkContent(tag: number, type: Type): void {
  if (!(contents[tag] ?? bytesOnly).includes(type)) {
    throw new SyntaxError(`tag ${tag} holds content of type ${type.name}`);
  }
}
