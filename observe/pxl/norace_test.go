//go:build !race

package pxl

const slower = 1
