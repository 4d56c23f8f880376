package image

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// hinted adds the second line of an error: what to do about it.
func hinted(err error, hint string) error { return fmt.Errorf("%w\nhint: %s", err, hint) }

// firstLine drops what a library says after its first line.
func firstLine(err error) error {
	if line, _, more := strings.Cut(err.Error(), "\n"); more {
		return errors.New(line)
	}
	return err
}

// explain adds the hint to errors that come from deep below and whose cause
// lies outside the image: a full disk, a folder that may not be written.
func explain(err error, dir string) error {
	if err == nil || strings.Contains(err.Error(), "\nhint: ") {
		return err
	}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return hinted(err, fmt.Sprintf("%s has %s left; free some, or let the cache be elsewhere with BRINE_CACHE", dir, free(dir)))
	case errors.Is(err, syscall.EROFS):
		return hinted(err, "let the cache be on a disk that can be written, with BRINE_CACHE")
	}
	return err
}

// free tells how much room the file system of a folder has.
func free(dir string) string {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return "an unknown number of bytes"
	}
	return size(int64(st.Bavail) * st.Bsize)
}

// size writes a number of bytes as people do.
func size(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
