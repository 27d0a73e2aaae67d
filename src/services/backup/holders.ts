/** Whoever holds the lease of a name for the retention is called so, and the storage; a run is called by its id. */
export const retentionHolder = "retention";
