package main

import (
	"fmt"
	"io"

	"brine.test/brine/world/doctor"
)

// showChecks prints what the doctor found as a table:
//
//	ok       TAP devices     a device made
//	missing  FUSE            open /dev/fuse: no such file or directory
//	                         disables  disk faults
//	                         mend      modprobe fuse; mknod /dev/fuse c 10 229
func showChecks(w io.Writer, checks []doctor.Check, p palette) {
	wide := 0
	for _, c := range checks {
		wide = max(wide, len(c.Name))
	}
	count := map[doctor.Status]int{}
	stops := 0
	for _, c := range checks {
		count[c.Status]++
		fmt.Fprintf(w, "%s  %-*s  %s\n", p.status(c.Status), wide, c.Name, c.Found)
		if c.Disables != "" {
			fmt.Fprintf(w, "%*s%s %s\n", wide+11, "", p.dim("disables"), c.Disables)
			fmt.Fprintf(w, "%*s%s     %s\n", wide+11, "", p.dim("mend"), c.Mend)
		}
		if c.Essential && c.Status == doctor.Missing {
			stops++
		}
	}
	fmt.Fprintln(w)
	switch {
	case stops > 0:
		fmt.Fprintf(w, "No scenario can run before this is mended: %s.\n", essentials(checks))
	case count[doctor.Missing]+count[doctor.Warn] > 0:
		fmt.Fprintln(w, "Scenarios can run, except for what is said above.")
	default:
		fmt.Fprintln(w, "All is there.")
	}
}

// essentials lists what is missing that every scenario needs.
func essentials(checks []doctor.Check) string {
	list := ""
	for _, c := range checks {
		if c.Essential && c.Status == doctor.Missing {
			if list != "" {
				list += ", "
			}
			list += c.Name
		}
	}
	return list
}

// status is a check's outcome, padded, in its colour.
func (p palette) status(s doctor.Status) string {
	text := fmt.Sprintf("%-7s", s)
	switch s {
	case doctor.OK:
		return p.green(text)
	case doctor.Warn:
		return p.yellow(text)
	case doctor.Missing:
		return p.red(text)
	}
	return p.dim(text)
}
