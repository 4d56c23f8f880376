package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Room that is wanted and needed, in bytes. A build of the engine and of etcd's
// image with empty caches takes about 2 GB, a run a few MB for each container.
const (
	gib        = 1 << 30
	cacheWants = 5 * gib
	cacheNeeds = 2 * gib
	stateWants = gib
	stateNeeds = gib / 8
)

func diskProbes(o Options) []probe {
	return []probe{
		{
			name: "room in the cache",
			try:  func() (string, error) { return tryRoom(o.CacheDir, cacheWants, cacheNeeds) },
			mend: "free some, or name another folder with BRINE_CACHE", disables: "building the engine and images",
		},
		{
			name: "room in the state folder",
			try:  func() (string, error) { return tryRoom(o.StateDir, stateWants, stateNeeds) },
			mend: "free some, or name another folder with BRINE_STATE", disables: "volumes and logs of containers",
		},
	}
}

// tryRoom looks how much is free where dir is, or would be made.
func tryRoom(dir string, wants, needs uint64) (string, error) {
	var st unix.Statfs_t
	at := dir
	for {
		err := unix.Statfs(at, &st)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			return "", fmt.Errorf("%s: %w", at, err)
		}
		at = filepath.Dir(at)
	}
	free := st.Bavail * uint64(st.Bsize)
	found := fmt.Sprintf("%.1f GiB free in %s", float64(free)/gib, dir)
	switch {
	case free < needs:
		return "", errors.New(found)
	case free < wants:
		return "", warning{fmt.Errorf("%s, %.1f would be better", found, float64(wants)/gib)}
	}
	return found, nil
}
