# Files and folders, and a machine's settings, as sources.

source-files = files and folders
source-title-files = files: { $paths }
source-config = settings of a machine
source-title-config = settings: { $what }
source-title-config-absent = settings: { $what } (not on this machine: { $absent })

error-files-missing = { $path } does not exist
error-files-no-access = { $path } cannot be read by this user: give the worker the right, or set unreadable: note
error-files-unreadable = { $total ->
    [one] { $path } cannot be read
   *[other] { $path } and { $total } things altogether cannot be read
}: give the worker the right, exclude it, or set unreadable: note
error-files-tar = GNU tar 1.29 or newer is needed, not { $found }: apt-get install tar
error-files-count = the archive does not hold what the manifest says: { $what } { $found }, expected { $expected }
error-files-endless = a symbolic link leads back into a folder above it, and tar has followed it endlessly: exclude it, or leave out followSymlinks
error-config-absent = nothing of these sets is on this machine: { $sets }

backup-notes-moved = ⚠️ Not in the backup as it was: { $totalText }
backup-notes-skipped = Not stored, being no files (sockets): { $totalText }
backup-note-changed = changed: { $name }
backup-note-vanished = vanished: { $name }
backup-note-unreadable = unreadable: { $name }
backup-note-skipped = skipped: { $name }
backup-note-left-out = left out: { $name }
backup-notes-more = … and { $moreText } more: see the manifest

config-problem-files-path = expected an absolute path without line breaks, "//", "/./" and "/../".
config-problem-config-nothing = there is nothing to back up. Name sets, paths, or both.
config-problem-config-plain = a machine's settings hold keys and passwords: this backup is made only encrypted. Describe "encryption" with its recipients, and leave encrypt out.
config-problem-files-storage = the local storage { $storage } lies in what is backed up: each backup would hold those before it. Add { $path } to source.exclude.
