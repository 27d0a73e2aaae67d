# Files and folders in place: what stands in the way, what should be known, what went wrong.

replace-files-via = the files are in a container: they can not be replaced from outside of it. Restore them into a folder of the worker's machine, and copy them in
replace-files-nothing = the backup is of { $paths }, and of none of that the configuration says that it belongs to this source
replace-files-pick = { $path } is neither one of the paths of this backup nor below one
replace-files-link = { $path } leads to { $target } now, and to something else in the backup: restore it into another folder
replace-files-through = the way to { $path } leads through a link now, to { $parent }: restore it into another folder
replace-files-parent = the folder { $parent } is not there, into which { $path } belongs: make it, with its owner and mode
replace-files-mount = { $path } is the root of a mounted file system, which can not be renamed: restore single folders below it, or into another folder
replace-files-mounts = below { $path } other file systems are mounted, which would go away with it: { $mounts }
replace-files-unwritable = the worker may not rename { $path }: it may not write in { $parent }, or in the folder itself
replace-files-read-only = { $path } is on a file system that is mounted read-only
replace-files-room = beside { $path } about { $needed } MiB are needed, and { $free } MiB are free
replace-files-name = { $path } is no absolute path of a new folder
replace-files-there = { $path } is there already: name a folder that is not

replace-files-absent = not in this backup, and left as they are: { $paths }
replace-files-foreign = in this backup, and not in the source as it is configured now; left out: { $paths }
replace-files-open = programs have something open in what is replaced, and go on with the former files until they are started anew: { $programs }
replace-files-sockets = { $count ->
    [one] a socket is there, which no backup has: the program that listens on it has to be started anew
   *[other] { $count } sockets are there, which no backup has: the programs that listen on them have to be started anew
}
replace-files-excluded = what the source leaves out ({ $list }) is in no backup: after the restore it is not there any more, only in what is kept aside, and gone for good when that is dropped. Copy out of it what is still needed
replace-files-notes = { $total ->
    [one] { $path } is not in the backup as it was
   *[other] { $path } and more, { $total } things altogether, are not in the backup as they were
}
replace-files-followed = symbolic links will be what they led to: the source follows them
replace-files-owners = the worker is not root: everything will belong to its user. Of what is kept aside it can not remove what lies in folders of other users: that is left for you to remove
replace-files-picked = only { $path } is replaced, with everything below it
replace-files-within = { $path } is in what this source backs up: the next backup will have it twice
replace-files-no-former = { $path } is not there, so that no backup of what is live can be made before: what there is of it is kept aside

error-replace-target-busy = { $target } is being replaced by another restore
error-replace-files-taken = { $path } is there already and is not of this restore: it is left alone
error-replace-files-link = { $path } is a symbolic link in the backup: make the link anew by hand, and restore what it leads to
error-replace-files-rename = { $path } can not be renamed ({ $code }): nothing was replaced
error-replace-files-over = { $path } was replaced already by this restore
error-replace-files-changed = { $path } is not what was to be replaced any more: somebody has made it anew
error-replace-files-not-prepared = nothing is prepared, exactly as the backup says, to take the place of { $path }
error-replace-files-no-before = nothing is kept aside of { $path }: there is nothing to go back to
error-replace-files-absent = { $path } is not in the backup
