package image

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
)

// nameLibraries are loaded by glibc when it is asked for a name or cancels a
// thread, without a word in any program's list of needed libraries.
var nameLibraries = []string{"libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2", "libgcc_s.so.1"}

// authorities is where distributions keep the certificates that are trusted.
var authorities = []string{
	"/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Arch, Alpine
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora, RHEL
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem", // openSUSE
	"/etc/ssl/cert.pem",
}

// addSystem adds what programs of a distribution look for beside their
// libraries: users, trusted certificates, and a linker cache for libraries
// that lie where the linker would not look by itself.
func (t *hostTree) addSystem() error {
	if t.linker.glibc {
		for _, name := range nameLibraries {
			if file := t.linker.find(name, nil, nil); file != "" {
				if err := t.addLibrary(file); err != nil {
					return err
				}
			}
		}
		bases := map[string]bool{}
		for name := range t.nodes {
			bases[filepath.Base(name)] = true
		}
		here := func(file string) bool { return bases[filepath.Base(file)] && t.has(file) }
		if cache := t.linker.cache.keep(here); cache != nil {
			t.put("etc/ld.so.cache", node{mode: 0o644, content: cache})
		}
	}
	// Users and groups are names and numbers; the secrets are in shadow files.
	for _, name := range []string{"/etc/passwd", "/etc/group"} {
		if raw, err := os.ReadFile(name); err == nil {
			t.put(name, node{mode: 0o644, content: raw})
		}
	}
	for _, name := range authorities {
		raw, err := os.ReadFile(name)
		if err != nil || !bytes.Contains(raw, []byte("BEGIN CERTIFICATE")) {
			continue
		}
		// Under the names that OpenSSL, GnuTLS and Go look for.
		t.put(authorities[0], node{mode: 0o644, content: raw})
		for _, alias := range []string{"/etc/ssl/cert.pem", "/etc/pki/tls/certs/ca-bundle.crt"} {
			t.put(alias, node{link: authorities[0]})
		}
		break
	}
	return nil
}

// has says whether a path of this machine is in the tree, through links too.
func (t *hostTree) has(name string) bool {
	file, err := filepath.EvalSymlinks(name)
	if err != nil {
		return false
	}
	n, ok := t.nodes[clean(file)]
	_, named := t.nodes[clean(filepath.Join(evalDir(name), filepath.Base(name)))]
	return ok && named && n.mode&fs.ModeDir == 0
}

func evalDir(name string) string {
	dir, err := filepath.EvalSymlinks(filepath.Dir(name))
	if err != nil {
		return filepath.Dir(name)
	}
	return dir
}
