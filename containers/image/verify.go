package image

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// stamp tells one state of a file from another without reading it. The change
// time cannot be set by a program, so that an edit in place always shows.
type stamp struct {
	Device, Inode    uint64
	Size             int64
	Modified, Change int64 // ns
}

func stampOf(info os.FileInfo) stamp {
	st := info.Sys().(*syscall.Stat_t)
	return stamp{Device: st.Dev, Inode: st.Ino, Size: st.Size, Modified: st.Mtim.Nano(), Change: st.Ctim.Nano()}
}

// verified holds the blobs whose bytes this process has hashed, so that a
// suite that resolves one image for each scenario reads it once. Hard links
// share the entry: the inode is the key.
var verified sync.Map // map[inode]known

type inode struct{ device, number uint64 }

// known leaves the change time out: it moves with every hard link.
type known struct {
	size, modified int64
	digest         v1.Hash
}

func remember(path string, h v1.Hash) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	st := stampOf(info)
	verified.Store(inode{st.Device, st.Inode}, known{st.Size, st.Modified, h})
	return nil
}

// checkBlob reads a blob, unless this process did so before, and says how it
// differs from what it should be.
func checkBlob(path string, d v1.Descriptor) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: expected a plain file", path)
	}
	if info.Size() != d.Size {
		return fmt.Errorf("%s: expected %d bytes, got %d", path, d.Size, info.Size())
	}
	st := stampOf(info)
	if got, ok := verified.Load(inode{st.Device, st.Inode}); ok && got == (known{st.Size, st.Modified, d.Digest}) {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != d.Digest.Hex {
		return fmt.Errorf("%s: expected digest %s, got sha256:%s", path, d.Digest, got)
	}
	return remember(path, d.Digest)
}
