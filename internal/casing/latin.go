package casing

import "unicode"

// combining are the accents that stand behind a letter of their own.
var combining = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x0300, Hi: 0x036f, Stride: 1}, {Lo: 0x20d0, Hi: 0x20ff, Stride: 1}, {Lo: 0xfe20, Hi: 0xfe2f, Stride: 1},
}}

// plainLetters lists Latin letters by what is left of them without accents.
var plainLetters = map[string]string{
	"A":  "ÀÁÂÃÄÅĀĂĄ",
	"a":  "àáâãäåāăą",
	"Ae": "Æ",
	"ae": "æ",
	"C":  "ÇĆĈĊČ",
	"c":  "çćĉċč",
	"D":  "ÐĎĐ",
	"d":  "ðďđ",
	"E":  "ÈÉÊËĒĔĖĘĚ",
	"e":  "èéêëēĕėęě",
	"G":  "ĜĞĠĢ",
	"g":  "ĝğġģ",
	"H":  "ĤĦ",
	"h":  "ĥħ",
	"I":  "ÌÍÎÏĨĪĬĮİ",
	"i":  "ìíîïĩīĭįı",
	"IJ": "Ĳ",
	"ij": "ĳ",
	"J":  "Ĵ",
	"j":  "ĵ",
	"K":  "Ķ",
	"k":  "ķĸ",
	"L":  "ĹĻĽĿŁ",
	"l":  "ĺļľŀł",
	"N":  "ÑŃŅŇŊ",
	"n":  "ñńņňŋŉ",
	"O":  "ÒÓÔÕÖØŌŎŐ",
	"o":  "òóôõöøōŏő",
	"Oe": "Œ",
	"oe": "œ",
	"R":  "ŔŖŘ",
	"r":  "ŕŗř",
	"S":  "ŚŜŞŠ",
	"s":  "śŝşšſ",
	"ss": "ß",
	"T":  "ŢŤŦ",
	"t":  "ţťŧ",
	"Th": "Þ",
	"th": "þ",
	"U":  "ÙÚÛÜŨŪŬŮŰŲ",
	"u":  "ùúûüũūŭůűų",
	"W":  "Ŵ",
	"w":  "ŵ",
	"Y":  "ÝŶŸ",
	"y":  "ýÿŷ",
	"Z":  "ŹŻŽ",
	"z":  "źżž",
}

// unplain is plainLetters by letter.
var unplain = func() map[rune]string {
	byLetter := map[rune]string{}
	for plain, letters := range plainLetters {
		for _, letter := range letters {
			byLetter[letter] = plain
		}
	}
	return byLetter
}()
