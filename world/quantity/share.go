package quantity

import (
	"math/big"
	"strings"
)

const shareHint = "write 10%, 0.5%, or 100%"

// Share reads a part of a whole, from 0% to 100%, as a number from 0 to 1: 10%, 0.5%, 10 percent.
func Share(text string) (float64, error) {
	rest := strings.TrimSpace(text)
	if rest == "" {
		return 0, refuse(text, "a share is missing", shareHint)
	}
	number, unit, err := splitNumber(rest)
	if err != nil {
		return 0, refuse(text, "the share "+err.Error(), shareHint)
	}
	if unit != "%" && unit != "percent" {
		return 0, refuse(text, "a share is written in percent", shareHint)
	}
	share, _ := number.Quo(number, big.NewRat(100, 1)).Float64()
	if share > 1 {
		return 0, refuse(text, "a share is at most 100%", shareHint)
	}
	return share, nil
}
