# Restoring what is live: orders, what is approved, what went wrong. The card's own words are in restore-chat.ftl.

restoration-title-in-place = Restore { $target } from { $at }
restoration-title-in-place-part = Restore { $pick } in { $target } from { $at }
restoration-title-beside = Restore { $name } from { $at } as { $target }
restoration-title-beside-part = Restore { $pick } of { $name } from { $at } as { $target }
restoration-title-undo = Take back the restore of { $target }

restoration-detail-backup = Backup { $backup } of { $at }, from { $from }
restoration-detail-lost = More than in the backup, and lost: { $list }
restoration-detail-nothing-lost = Nothing is known to be more than in the backup.
restoration-detail-back-kept = What is live now is kept aside: Undo brings it back.
restoration-detail-back-former = What is live now is backed up before: Undo restores that.
restoration-detail-back-versions = The store keeps what is live now as older versions: Undo brings them back.
restoration-detail-back-none = ⚠️ There is no way back.
restoration-detail-no-backup = ⚠️ Without a backup of what is live now.
restoration-detail-sessions = { $count ->
    [one] { $count } connection is ended.
   *[other] { $count } connections are ended.
}
restoration-detail-undo-lost = Written since the restore, and lost: { $list }
restoration-detail-undo-nothing = Nothing is known to be written since the restore.
restoration-detail-undo-kept = What is live now is kept aside in its place, as long as after a restore.
restoration-detail-undo-former = What is live now is backed up before, and replaced by the backup that was made right before the restore.
restoration-detail-undo-versions = What is live now stays in the store as older versions.
restoration-detail-id = Restore { $id }

restoration-refused-role-viewer = That needs the role viewer
restoration-refused-role-operator = That needs the role operator
restoration-refused-role-admin = That needs the role admin
restoration-refused-not-yours = { $by } has asked for it: only they or an admin decide
restoration-refused-confirm = It cannot be confirmed any more: look again
restoration-refused-cancel = It cannot be cancelled any more
restoration-refused-look = It is not the time to look again
restoration-refused-undo = There is nothing to go back to, or it is under way already
restoration-refused-keep = Nothing is kept aside any more
restoration-refused-successor = Restore { $id } has replaced the same since: take that one back first

restoration-reason-unconfigured = { $name } is not configured any more: download it, or restore it with vakhta restore
restoration-reason-kind = backups of kind { $kind } are not restored from the chat: download it, or restore it with vakhta restore
restoration-reason-other-kind = the backup is of kind { $was }, what is configured now is { $kind }: download it, or restore it with vakhta restore
restoration-reason-only-in-place = what is of kind { $kind } can only be restored in place
restoration-reason-only-beside = what is of kind { $kind } can only be restored beside what is live

error-restoration-unknown = restore { $id } is not known
error-restoration-record = restore { $id } could not be recorded ({ $reason })
error-restoration-place = this backup cannot be restored there

restoration-passed-elsewhere = only worker { $host } reaches it
restoration-passed-other = its manifest is not the one that was chosen
restoration-passed-unsound = it is known not to be whole
restoration-passed-error = { $code }: { $reason }

restoration-obstacle-other = restore { $id } of { $by } is at the same target: wait for its end, or cancel it
restoration-remark-stop = Stopped before the swap: { $programs }
restoration-remark-start = Started after the swap: { $programs }

restoration-ended-done = Restored: see restore { $id }
restoration-ended-undone = Taken back: see restore { $id }
restoration-ended-cancelled = Cancelled: see restore { $id }
restoration-ended-failed = Not restored: see restore { $id }
restoration-ended-refused = Refused: see restore { $id }
restoration-ended-expired = Nothing was done: it was not approved in time
restoration-ended-elsewhere = Another worker goes on: see restore { $id }
restoration-ended-rejected = { $by } said no
restoration-ended-void-target = the target is not the one that was agreed to any more
restoration-ended-void-gone = the backup or the target cannot be found any more
restoration-ended-void-arguments = the order is not the one that was agreed to any more
restoration-ended-void-policy = the approvals that are needed were changed meanwhile
restoration-ended-void-requester = who has asked for it may not any more
restoration-ended-void-mistyped = something else was typed five times
restoration-ended-void-action = the worker does not know this action; its version may be another one

error-restoration-no-sound = no copy of { $backup } can be restored from: { $storages }. Choose another backup, or restore it by hand with vakhta restore
error-restoration-target-busy = restore { $id } works on { $target } at this moment
error-restoration-backup = what is live could not be backed up before (run { $run }: { $reason }): nothing was changed. It can be restored without, if what is live is too broken for it
error-restoration-differs = { $count ->
    [one] what was restored differs from the manifest in { $count } place: it was removed, what is live is as it was
   *[other] what was restored differs from the manifest in { $count } places: it was removed, what is live is as it was
}
error-restoration-differs-beside = { $count ->
    [one] what was restored differs from the manifest in { $count } place: it was left for you to look at
   *[other] what was restored differs from the manifest in { $count } places: it was left for you to look at
}
error-restoration-not-asked = restore { $id } has changed since it was asked for
error-restoration-other-target = the configuration names { $target } of another place now, not the { $was } that was restored: nothing of that one is touched. Put the old address back, then press again
error-restoration-lost = its worker was lost, and nobody goes on with it: what it has left is removed
error-restoration-undo-lost = its worker was lost, and nobody goes on with it: what had been restored is live

config-warning-stop-only = what is stopped here for a restore is never started again: nothing is named in restore.start.

restoration-title-globals-missing = Make the roles of { $name } that { $server } lacks, from { $at }
restoration-title-globals-all = Make and alter the roles of { $name } on { $server } as they were at { $at }
restoration-detail-roles-made = To be made, with their passwords ({ $count }): { $list }
restoration-detail-roles-altered = To be altered ({ $count }): { $list }
restoration-detail-roles-kept = All in one transaction; nothing is taken away. There is no Undo.
restoration-reason-no-roles = the backup of { $name } has no roles that could be given from here
error-globals-changed = the roles on the server are not those that were agreed to any more: look again
