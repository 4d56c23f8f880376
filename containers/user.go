package containers

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// lookupUser reads a user as an image names it ("", "1000", "postgres", "1000:1000",
// "postgres:postgres") by the image's own /etc/passwd and /etc/group; called
// inside the root file system.
func lookupUser(text string) (specs.User, error) {
	var out specs.User
	if text == "" {
		return out, nil
	}
	user, group, hasGroup := strings.Cut(text, ":")
	name, err := findUser(&out, user)
	if err != nil {
		return out, fmt.Errorf("user %q: %w", text, err)
	}
	groups, err := table("/etc/group")
	if err != nil {
		return out, fmt.Errorf("user %q: %w", text, err)
	}
	if hasGroup {
		gid, err := findGroup(groups, group)
		if err != nil {
			return out, fmt.Errorf("user %q: %w", text, err)
		}
		out.GID = gid
		return out, nil
	}
	for _, g := range groups {
		if len(g) < 4 || name == "" || !slices.Contains(strings.Split(g[3], ","), name) {
			continue
		}
		if gid, err := strconv.ParseUint(g[2], 10, 32); err == nil {
			out.AdditionalGids = append(out.AdditionalGids, uint32(gid))
		}
	}
	return out, nil
}

// findUser finds the numbers of a user and returns its name, if it has one.
func findUser(u *specs.User, user string) (string, error) {
	passwd, err := table("/etc/passwd")
	if err != nil {
		return "", err
	}
	for _, p := range passwd {
		if len(p) < 4 || p[0] != user && p[2] != user {
			continue
		}
		uid, err := strconv.ParseUint(p[2], 10, 32)
		if err != nil {
			return "", err
		}
		gid, err := strconv.ParseUint(p[3], 10, 32)
		if err != nil {
			return "", err
		}
		u.UID, u.GID = uint32(uid), uint32(gid)
		return p[0], nil
	}
	uid, err := strconv.ParseUint(user, 10, 32)
	if err != nil {
		return "", errors.New("not in the image's /etc/passwd")
	}
	u.UID = uint32(uid)
	return "", nil
}

func findGroup(groups [][]string, group string) (uint32, error) {
	for _, g := range groups {
		if len(g) >= 3 && g[0] == group {
			group = g[2]
			break
		}
	}
	gid, err := strconv.ParseUint(group, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("group %q: not in the image's /etc/group", group)
	}
	return uint32(gid), nil
}

// table reads a file of colon-separated fields; one that is not there is empty.
func table(name string) ([][]string, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out [][]string
	for _, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, strings.Split(line, ":"))
		}
	}
	return out, err
}
