package pages

import "github.com/wicket-id/wicket/web/locales"

// Rating says how hard a password is to guess.
type Rating struct {
	Score int // 0 to 4
}

// Bars are four, and so many of them filled as the password is good; the first always.
func (r Rating) Bars() [4]bool {
	var bars [4]bool
	for i := range bars {
		bars[i] = i < max(1, r.Score)
	}
	return bars
}

// Words says the same.
func (r Rating) Words() locales.Key {
	return ratings[min(max(r.Score, 0), len(ratings)-1)]
}

var ratings = [...]locales.Key{
	locales.Key("rating.score_0"),
	locales.Key("rating.score_1"),
	locales.Key("rating.score_2"),
	locales.Key("rating.score_3"),
	locales.Key("rating.score_4"),
}

// Weak tells whether the password is none to keep.
func (r Rating) Weak() bool { return r.Score < 2 }
