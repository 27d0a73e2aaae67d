# The output of any program as a source.

source-command = output of a program
source-title-command = { $file }, by { $program }

error-command-folder = the folder { $path } does not exist
error-command-empty = { $step } has put out nothing: allowEmpty, if that is right
error-command-no-test = source.testRestore names no program: only a program knows how to restore this backup
error-restore-folder = { $path } is not empty
error-part-unread = { $step } ended before it had read the whole backup

config-problem-command-file = expected a file name of letters, digits, dots, dashes and underscores, without .zst and .age at its end.
config-problem-command-secret = a password stands in the arguments, where every user of the machine can read it. Put it into env.
