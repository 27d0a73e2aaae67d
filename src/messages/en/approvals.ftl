# Dangerous orders and who has agreed to them: the card, what is asked below it, toasts.

approval-title-typing = ⌨️ <b>{ $title }</b>: to be confirmed
approval-title-open = 🔐 <b>{ $title }</b>: to be approved
approval-title-approved = 🔓 <b>{ $title }</b>: approved
approval-title-executing = ⚙️ <b>{ $title }</b>: under way
approval-title-done = ✅ <b>{ $title }</b>: done
approval-title-ordered = 📨 <b>{ $title }</b>: ordered
approval-title-failed = ❌ <b>{ $title }</b>: failed
approval-title-unknown = ⚠️ <b>{ $title }</b>: broken off
approval-title-rejected = ⛔ <b>{ $title }</b>: rejected
approval-title-cancelled = 🚫 <b>{ $title }</b>: taken back
approval-title-expired = ⌛ <b>{ $title }</b>: expired
approval-title-void = ✖️ <b>{ $title }</b>: void

approval-asked-by = Asked for by { $by }, { $at }
approval-asked-itself = Asked for by Vakhta itself, { $at }
approval-approved-by = ✔ { $by }, { $at }
approval-typing = Waits until { $by } has typed the name.
approval-missing = { $missing ->
    [one] Missing: { $missing } approval of { $needed }, role { $role }
   *[other] Missing: { $missing } approvals of { $needed }, role { $role }
}
approval-others = { $by } has asked and does not count.
approval-waits = Waits for a worker.
approval-until = Expires: { $at }
approval-executing = On { $host } since { $at }
approval-resumed = Attempt { $attempt }: the worker before was lost, this one goes on.
approval-done = Carried out on { $host } in { $duration }.
approval-ordered = The provider was asked by the worker on { $host }, in { $duration }.
approval-failed = Failed on { $host } after { $duration }: { $reason }
approval-unknown = The worker on { $host } was lost in the middle, and nobody can tell what was done. It is not repeated: look at { $target } before you ask again.
approval-rejected-by = { $by } said no, { $at }. Nothing was done.
approval-reason = Reason: { $reason }
approval-cancelled-by = { $by } took it back, { $at }. Nothing was done.
approval-expired-typing = { $by } has not typed the name in time. Nothing was done.
approval-expired-open = Not enough people have approved it in time. Nothing was done.
approval-expired-approved = It was approved, but no worker has begun it in time. Nothing was done.
approval-void-target = The target is not the one that was agreed to any more; changed: { $facts }. Nothing was done.
approval-void-gone = The target { $target } cannot be found any more. Nothing was done.
approval-void-arguments = The order is not the one that was agreed to any more. Nothing was done.
approval-void-policy = The approvals that are needed were changed meanwhile. Nothing was done: ask again.
approval-void-requester = { $by } may not ask for this any more. Nothing was done.
approval-void-mistyped = Something else was typed five times. Nothing was done.
approval-void-action = The worker does not know this action; its version may be another one. Nothing was done.
approval-error = Reason: { $reason }
approval-fact-manifest = the backup
approval-fact-system = the server that it belongs to
approval-fact-database = the database
approval-fact-roles = how its roles differ
approval-fact-server = the server
approval-fact-power = whether it is on
approval-fact-state = its state
approval-id = Approval <code>{ $id }</code> of exactly <code>{ $binding }</code>

approval-is-typing = it waits to be confirmed
approval-is-open = it waits for approvals
approval-is-approved = it is approved
approval-is-executing = it is under way
approval-is-done = it is done
approval-is-failed = it has failed
approval-is-unknown = it was broken off
approval-is-rejected = it was rejected
approval-is-cancelled = it was taken back
approval-is-expired = it has expired
approval-is-void = it is void

approval-type-name = <a href="tg://user?id={ $user }">{ $name }</a>, to confirm, reply to this message with the name <code>{ $target }</code>, before { $until }.
approval-type-here = { $target }
approval-again-wrong = That was something else. Nothing was confirmed.
approval-again-late = Your answer reached me long after you had sent it, so I have not taken it. Is it still wanted?
approval-ask-reason = <a href="tg://user?id={ $user }">{ $name }</a>, reply to this message if you want to say why. It is stopped already.
approval-reason-here = Why not
approval-not-taken = { $why }

button-approve = Approve
button-reject = Reject
toast-approval-agreed = Approved: it begins
toast-approval-counts = { $missing ->
    [one] Counted; { $missing } more is needed
   *[other] Counted; { $missing } more are needed
}
toast-approval-rejected = Rejected
toast-approval-cancelled = Taken back
toast-approval-requester = You have asked for it: others have to approve. Nothing was done.
toast-approval-already = You have decided already; it counted once.
toast-approval-not-yours = That is for { $by } or an admin. Nothing was done.
toast-approval-not-asked = That is asked of { $by }. Nothing was done.
toast-approval-typing = { $by } has to type the name first. Nothing was done.
toast-approval-expired = Too late: it has expired. Nothing was done.
toast-approval-over = Decided already: { $status }. Nothing was done.

error-approval-asked = this is asked for already for { $target }: decide about { $id } first
error-approval-requester = only operators and admins can ask for this
error-approval-impossible = { $role ->
    [admin] { $needed } approvals by admins are needed, and { $most } can be had: change approvals in the configuration
   *[operator] { $needed } approvals by operators or admins are needed, and { $most } can be had: change approvals in the configuration
}
