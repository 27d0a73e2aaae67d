const namedFolders = 20;

/** Of one folder. */
export interface FolderCount {
  readonly what: string;
  count: number;
  /** Of them, those that were there before. */
  gone: number;
}

/** Counts keys by the folder that they lie in, when they come in their order: only the folders with most are kept. */
export class Folders {
  readonly #base: number;
  readonly #root: FolderCount;
  #named: FolderCount[] = [];
  #current: FolderCount | undefined;
  #folders = 0;
  count = 0;
  gone = 0;

  /** `prefix`: below which folders are told apart; as far as it is a folder itself. */
  constructor(prefix: string) {
    this.#base = prefix.lastIndexOf("/") + 1;
    this.#root = { what: prefix.slice(0, this.#base) || "/", count: 0, gone: 0 };
  }

  add(key: string, { gone }: { readonly gone: boolean } = { gone: false }, counted = true): void {
    const end = key.indexOf("/", this.#base);
    const folder = end === -1 ? this.#root : this.#folder(key.slice(0, end + 1));
    folder.count += Number(counted);
    folder.gone += Number(gone);
    this.count += Number(counted);
    this.gone += Number(gone);
  }

  /** Those with most, and how many there are. */
  result(): { readonly named: readonly FolderCount[]; readonly total: number } {
    this.#close();
    const hasRoot = this.#root.count + this.#root.gone > 0;
    const named = (hasRoot ? [...this.#named, this.#root] : this.#named).toSorted(byCount).slice(0, namedFolders);
    return { named, total: this.#folders + Number(hasRoot) };
  }

  #folder(what: string): FolderCount {
    if (this.#current?.what === what) return this.#current;
    this.#close();
    this.#folders += 1;
    this.#current = { what, count: 0, gone: 0 };
    return this.#current;
  }

  #close(): void {
    if (this.#current === undefined) return;
    this.#named = [...this.#named, this.#current].toSorted(byCount).slice(0, namedFolders);
    this.#current = undefined;
  }
}

function byCount(a: FolderCount, b: FolderCount): number {
  return b.count + b.gone - (a.count + a.gone);
}
