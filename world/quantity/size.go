package quantity

import (
	"math"
	"strings"
)

const sizeHint = "write 64 MiB (1024 × 1024 bytes) or 1 GB (1000 × 1000 × 1000 bytes)"

// sizeUnits maps every spelling to its bytes: powers of 1000 as the SI has them, powers of 1024 with an i (IEC 80000-13).
var sizeUnits = map[string]int64{
	"B": 1, "byte": 1, "bytes": 1,
	"kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
}

// Size reads an amount of memory or disk, in bytes: 64 MiB, 1 GB, 1.5 GiB, 512 bytes.
// It fails on a missing or unknown unit, parts of a byte, and sizes of 8 EiB and more.
func Size(text string) (int64, error) {
	rest := strings.TrimSpace(text)
	if rest == "" {
		return 0, refuse(text, "a size is missing", sizeHint)
	}
	number, word, err := splitNumber(rest)
	if err != nil {
		return 0, refuse(text, "the size "+err.Error(), sizeHint)
	}
	if word == "" {
		return 0, refuse(text, "a size needs a unit", sizeHint)
	}
	unit, ok := sizeUnits[word]
	if !ok {
		return 0, refuse(text, "unknown unit of size \""+word+"\"", sizeHint)
	}
	bytes, exact, fits := whole(number, unit)
	switch {
	case !exact:
		return 0, refuse(text, "the size is not a whole number of bytes", sizeHint)
	case !fits || bytes == math.MaxInt64:
		return 0, refuse(text, "the size is 8 EiB or more", sizeHint)
	}
	return bytes, nil
}
