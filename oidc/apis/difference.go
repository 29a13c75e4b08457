package apis

import (
	"reflect"

	"github.com/wicket-id/wicket/storage/audit"
)

// differences returns the columns in which an API differs from what is registered, as they were and as they shall be.
func (a *API) differences(registered *API) (was, shall audit.Values) {
	was, shall = audit.Values{}, audit.Values{}
	before, after := registered.columns(), a.columns()
	for column := range after {
		if !reflect.DeepEqual(before[column], after[column]) {
			was[column], shall[column] = before[column], after[column]
		}
	}
	if registered.DeclaredBy != a.DeclaredBy {
		was["declared_by"], shall["declared_by"] = registered.DeclaredBy, a.DeclaredBy
	}
	return was, shall
}
