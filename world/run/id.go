package run

import (
	"crypto/rand"
	"regexp"
)

// idLetters are the 32 letters of a run's id: no l and o, 0 and 1, which are
// taken for one another.
const idLetters = "abcdefghijkmnpqrstuvwxyz23456789"

// idForm is what an id looks like. Names of folders that do not match it are not
// ours and never touched.
var idForm = regexp.MustCompile(`^[` + idLetters + `]{8}$`)

// newID draws an id: 40 random bits, a name for folders, cgroups and labels.
func newID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program itself
	for i := range b {
		b[i] = idLetters[b[i]%byte(len(idLetters))]
	}
	return string(b[:])
}
