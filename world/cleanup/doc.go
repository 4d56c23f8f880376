// Package cleanup is the project's one clean-up idiom: a stack of undos.
//
// The undo is pushed on the line after the thing was made. Closing runs the
// undos last-in first-out, so that what was built on top goes first:
//
//	made:    namespace ──► link ──► container        Push, Push, Push
//	undone:  namespace ◄── link ◄── container        Close
//
// Each undo has its own time limit and its own recover, and a context that the
// end of the scenario does not cancel: one that fails, hangs or panics is named
// in the error of Close and does not keep the others from running.
//
// A constructor pushes onto a local stack and hands it over when all went well:
//
//	func New(ctx context.Context) (t *Thing, err error) {
//		var undo cleanup.Stack
//		defer undo.CloseOnError(ctx, &err)
//
//		link, err := makeLink(ctx)
//		if err != nil {
//			return nil, err
//		}
//		undo.Push("link eth0", 5*time.Second, link.Remove)
//		…
//		return &Thing{undo: undo.Release()}, nil
//	}
//
// The package owns nothing itself: whoever pushed an undo owns the thing.
package cleanup
