/** Cuts a stream of RESP into commands; the reader of the pure-JavaScript servers. */

const CR = 13;
const LF = 10;
const STAR = 42;
const DOLLAR = 36;
const ZERO = 48;

/** The client does not speak RESP. */
export class ProtocolError extends Error {}

/** Reads commands chunk by chunk. Arguments are latin1 strings: one character a byte, whatever the bytes are. */
export class CommandParser {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #number = 0;

  /** Calls `each` for every command that `chunk` completes. */
  push(chunk: Buffer, each: (args: string[]) => void): void {
    const rest = this.#bytes.length - this.#at;
    this.#bytes = rest === 0 ? chunk : Buffer.concat([this.#bytes.subarray(this.#at), chunk]);
    this.#at = 0;
    while (this.#at < this.#bytes.length) {
      const start = this.#at;
      const args = this.#bytes[start] === STAR ? this.#command() : this.#line();
      if (args === null) {
        this.#at = start;
        return;
      }
      if (args.length > 0) {
        each(args);
      }
    }
  }

  /** Reads the digits behind the mark at `#at` into `#number`; false when the line is not whole. */
  #count(): boolean {
    const bytes = this.#bytes;
    let value = 0;
    for (let i = this.#at + 1; i + 1 < bytes.length; i++) {
      const byte = bytes[i] as number;
      if (byte === CR) {
        this.#at = i + 2;
        this.#number = value;
        return true;
      }
      if (byte < ZERO || byte > ZERO + 9) {
        throw new ProtocolError('invalid length');
      }
      value = value * 10 + byte - ZERO;
    }
    return false;
  }

  #command(): string[] | null {
    if (!this.#count()) {
      return null;
    }
    const count = this.#number;
    const args: string[] = [];
    for (let i = 0; i < count; i++) {
      if (this.#at >= this.#bytes.length) {
        return null;
      }
      if (this.#bytes[this.#at] !== DOLLAR) {
        throw new ProtocolError("expected '$'");
      }
      if (!this.#count() || this.#at + this.#number + 2 > this.#bytes.length) {
        return null;
      }
      args.push(this.#bytes.toString('latin1', this.#at, this.#at + this.#number));
      this.#at += this.#number + 2;
    }
    return args;
  }

  #line(): string[] | null {
    const end = this.#bytes.indexOf(LF, this.#at);
    if (end < 0) {
      return null;
    }
    const text = this.#bytes.toString('latin1', this.#at, end).trim();
    this.#at = end + 1;
    return text === '' ? [] : text.split(/\s+/);
  }
}
