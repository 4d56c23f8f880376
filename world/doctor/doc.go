// Package doctor finds out what this machine offers: not by reading
// configurations and version numbers, but by trying each thing, in a network
// namespace of its own that is gone afterwards.
//
//	brine doctor ──► Run ──► root, capabilities    is it allowed at all?
//	                    ├──► kernel                namespaces, BPF at tc, native XDP, TAP, FUSE, cgroups, overlay
//	                    ├──► tools                 go, gcc, libseccomp; git and the engine's programs
//	                    ├──► programs              those of this machine that services run: redis-server
//	                    └──► disk                  room in the cache and the state folder
//	every suite ──► Essential ──► one error, if something is missing that every scenario needs
//
// For each thing that is missing it says what that disables and the command that
// mends it:
//
//	for _, c := range doctor.Run(ctx, doctor.Options{}) {
//		fmt.Println(c.Status, c.Name, c.Found)
//	}
//	if err := doctor.Essential(ctx); err != nil {
//		return err // says it all
//	}
//
// The package leaves nothing behind.
package doctor
