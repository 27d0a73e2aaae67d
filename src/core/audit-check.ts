import { type AuditHead, type AuditRecord, chainHash, type DatedHead, genesis } from "./audit.ts";

/**
 * What is wrong with a log. `edited`: the entry is not what its hash says. `missing`: numbers are left out before this
 * one. `order`: the number does not follow. `replaced`: its hash is right, and it does not follow from the one before.
 * `unchained`: an entry without a hash behind one that has it. `cut`: entries at the end are gone. `rewritten`: the
 * entry is not the one that a stored head knows. `anew`: a stored head is of another chain. `unreadable`: no entry.
 * `head-missing`, `head-unreadable`: of what a storage should hold.
 */
export interface AuditFlaw {
  readonly what:
    | "edited"
    | "missing"
    | "order"
    | "replaced"
    | "unchained"
    | "cut"
    | "rewritten"
    | "anew"
    | "unreadable"
    | "head-missing"
    | "head-unreadable";
  /** The entry; of heads: the one they name. */
  readonly seq?: number;
  /** The last one that is wrong, where there are several. */
  readonly to?: number;
  /** The stored head that tells it. */
  readonly date?: string;
  readonly where?: string;
  /** How many heads are missing. */
  readonly count?: number;
}

/** A head, and who knows it. */
export type KnownHead = AuditHead & Partial<Pick<DatedHead, "date">> & { readonly where?: string };

/** What a whole log has come to. */
export interface AuditSum {
  readonly entries: number;
  /** Entries at the beginning that are older than the chain. */
  readonly before: number;
  readonly first?: number;
  readonly last?: number;
  readonly hash?: string;
  /** Heads that were met. */
  readonly heads: number;
}

/**
 * Looks at the entries of a log in their order, one at a time. Memory: the stored heads. `isPart`: an export of some
 * numbers, which may begin and end anywhere.
 */
export class ChainCheck {
  readonly #heads = new Map<number, KnownHead[]>();
  readonly #isPart: boolean;
  #last: AuditRecord | undefined;
  #chain: string | undefined;
  #first: number | undefined;
  #entries = 0;
  #before = 0;
  #met = 0;

  constructor(heads: readonly KnownHead[], isPart = false) {
    for (const head of heads) this.#heads.set(head.seq, [...(this.#heads.get(head.seq) ?? []), head]);
    this.#isPart = isPart;
  }

  /** The next entry; what is wrong with it. After a flaw nothing more can be said. */
  next(record: AuditRecord): AuditFlaw | undefined {
    const flaw = this.#place(record) ?? this.#link(record) ?? this.#meet(record);
    if (flaw) return flaw;
    this.#first ??= record.seq;
    this.#entries += 1;
    if (record.hash === undefined) this.#before += 1;
    this.#last = record;
    return undefined;
  }

  /** There are no more. */
  end(): AuditFlaw | undefined {
    const last = this.#last?.seq ?? 0;
    const all = [...this.#heads.values()].flat();
    const others = all.filter(({ chain }) => this.#knowsChain() && chain !== this.#chain);
    const lost = this.#isPart ? [] : all.filter(({ seq }) => seq > last);
    const worst = [...lost, ...others].toSorted((a, b) => b.seq - a.seq)[0];
    if (!worst) return undefined;
    const isOther = this.#knowsChain() && worst.chain !== "" && worst.chain !== this.#chain;
    return { what: isOther ? "anew" : "cut", ...(isOther ? {} : { to: worst.seq }), ...told(worst, isOther, last) };
  }

  sum(): AuditSum {
    const { seq, hash } = this.#last ?? {};
    return {
      entries: this.#entries,
      before: this.#before,
      heads: this.#met,
      ...(this.#first === undefined ? {} : { first: this.#first }),
      ...(seq === undefined ? {} : { last: seq }),
      ...(hash === undefined ? {} : { hash }),
    };
  }

  /** Is it the one that has to follow, by its number? */
  #place({ seq }: AuditRecord): AuditFlaw | undefined {
    const expected = this.#last ? this.#last.seq + 1 : this.#isPart ? seq : 1;
    if (seq < expected || seq < 1) return { what: "order", seq };
    return seq > expected ? { what: "missing", seq: expected, to: seq - 1 } : undefined;
  }

  /** Is it what it was, and does it follow from the one before? */
  #link({ seq, prev, hash, text }: AuditRecord): AuditFlaw | undefined {
    const before = this.#last;
    if (hash === undefined || prev === undefined)
      return before?.hash === undefined && hash === undefined && prev === undefined
        ? undefined
        : { what: "unchained", seq };
    if (chainHash(seq, prev, text) !== hash) return { what: "edited", seq };
    const isFirst = before?.hash === undefined;
    if (isFirst && prev === genesis) {
      this.#chain = hash;
      return undefined;
    }
    if (isFirst) return this.#isPart && !before ? undefined : { what: "missing", seq: 1, to: seq - 1 };
    return prev === before?.hash ? undefined : { what: "replaced", seq };
  }

  /** Is it the one that was put away as the head? */
  #meet({ seq, hash }: AuditRecord): AuditFlaw | undefined {
    for (const head of this.#heads.get(seq) ?? []) {
      if (this.#knowsChain() && head.chain !== this.#chain) continue;
      if (head.hash !== hash) return { what: "rewritten", seq, ...about(head) };
      this.#met += 1;
    }
    return undefined;
  }

  #knowsChain(): boolean {
    return this.#chain !== undefined;
  }
}

function told(head: KnownHead, isOther: boolean, last: number): Omit<AuditFlaw, "what"> {
  return { seq: isOther ? head.seq : last + 1, ...about(head) };
}

function about({ date, where }: KnownHead): Pick<AuditFlaw, "date" | "where"> {
  return { ...(date === undefined ? {} : { date }), ...(where === undefined ? {} : { where }) };
}
