package image

import (
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// sudoer is the user who called sudo, for whom builds run.
type sudoer struct {
	uid, gid   uint32
	groups     []uint32
	name, home string
}

// lookupUser is replaced by tests, which cannot add users to the machine.
var lookupUser = user.LookupId

// invoker tells who called sudo; false when this is not a program under sudo.
func invoker() (sudoer, bool) {
	uid, err := strconv.ParseUint(os.Getenv("SUDO_UID"), 10, 32)
	if err != nil || uid == 0 || os.Geteuid() != 0 {
		return sudoer{}, false
	}
	u, err := lookupUser(strconv.FormatUint(uid, 10))
	if err != nil {
		return sudoer{}, false
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return sudoer{}, false
	}
	who := sudoer{uid: uint32(uid), gid: uint32(gid), name: u.Username, home: u.HomeDir}
	if ids, err := u.GroupIds(); err == nil {
		for _, id := range ids {
			if n, err := strconv.ParseUint(id, 10, 32); err == nil {
				who.groups = append(who.groups, uint32(n))
			}
		}
	}
	return who, true
}

// attributes makes a child process run as that user, in a process group of
// its own so that a whole build can be ended.
func (s sudoer) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: &syscall.Credential{Uid: s.uid, Gid: s.gid, Groups: s.groups}}
}

// environment is ours as that user would have it: what names root's folders
// is left out, so that each tool falls back to the user's own.
func (s sudoer) environment(env []string) []string {
	var out []string
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		switch {
		case name == "HOME" || name == "USER" || name == "LOGNAME" || name == "MAIL" || strings.HasPrefix(name, "SUDO_"):
		case name == "XDG_RUNTIME_DIR":
		case value == "/root" || strings.HasPrefix(value, "/root/"):
		default:
			out = append(out, kv)
		}
	}
	return append(out, "HOME="+s.home, "USER="+s.name, "LOGNAME="+s.name)
}
