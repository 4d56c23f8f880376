package image

import (
	"io/fs"
	"slices"
	"strings"
)

// searchPath is the PATH of images made here.
const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// searchPathWith is searchPath with one more folder, if it is not there.
func searchPathWith(dir string) string {
	if slices.Contains(strings.Split(strings.TrimPrefix(searchPath, "PATH="), ":"), dir) {
		return searchPath
	}
	return searchPath + ":" + dir
}

// addBase adds what nearly every program expects of a root file system and no
// program brings: users, the order of name look-ups, folders for temporary
// files. It does not depend on this machine.
func (f *rootfs) addBase() {
	text := func(name, content string) { f.put(name, node{mode: 0o644, content: []byte(content)}) }
	text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n")
	text("etc/group", "root:x:0:\nnogroup:x:65534:\n")
	text("etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\nprotocols: files\nservices: files\n")
	for _, dir := range []string{"tmp", "var/tmp"} {
		f.put(dir, node{mode: fs.ModeDir | fs.ModeSticky | 0o777})
	}
	f.put("root", node{mode: fs.ModeDir | 0o700})
	for _, dir := range []string{"dev", "etc", "proc", "run", "sys"} {
		f.put(dir, node{mode: fs.ModeDir | 0o755})
	}
}
