package sluicetest

import (
	"slices"
	"strings"
)

// diffLine is a line of a diff: in both texts, or in one of them.
type diffLine struct {
	mark byte // ' ', '-' or '+'
	text string
}

// diffLines compares two texts line by line: what is only in the first is marked -, what is
// only in the second +.
func diffLines(before, after []string) []diffLine {
	// common[i][j] is how many lines before[i:] and after[j:] have in common, in order.
	common := make([][]int, len(before)+1)
	for i := range common {
		common[i] = make([]int, len(after)+1)
	}
	for i, line := range slices.Backward(before) {
		for j := len(after) - 1; j >= 0; j-- {
			if line == after[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var diff []diffLine
	for i, j := 0, 0; i < len(before) || j < len(after); {
		switch {
		case i < len(before) && j < len(after) && before[i] == after[j]:
			diff = append(diff, diffLine{' ', before[i]})
			i, j = i+1, j+1
		case j == len(after) || i < len(before) && common[i+1][j] >= common[i][j+1]:
			diff = append(diff, diffLine{'-', before[i]})
			i++
		default:
			diff = append(diff, diffLine{'+', after[j]})
			j++
		}
	}
	return diff
}

// changed counts the lines that are not in both texts.
func changed(diff []diffLine) (count int) {
	for _, line := range diff {
		if line.mark != ' ' {
			count++
		}
	}
	return count
}

// formatDiff writes a diff with the prefix before each line.
func formatDiff(prefix string, diff []diffLine) string {
	var text strings.Builder
	for _, line := range diff {
		text.WriteString(strings.TrimRight(prefix+string(line.mark)+" "+line.text, " ") + "\n")
	}
	return text.String()
}
