/** Whoever holds the lease of a name for the retention is called so, and the storage; a run is called by its id. */
export const retentionHolder = "retention";
/** In front of the id of a restore that replaces what the backup of the name reads: for a moment none is begun. */
export const restoreHolder = "restore ";
