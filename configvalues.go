package sluice

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-go/sluice/internal/variant"
)

// ConfigValues checks the values of an instance, by config variable key, against the
// config pages and the scoped config variables, and fills in defaults. The values may be
// Go values or decoded from JSON, numbers as float64 or [json.Number]; nil is a value that
// is not given. What it returns is what the handles read (see [Run.ConfigVar]), and
// encoding/json writes it so that [Integration.DecodeConfigValues] reads it again.
//
// Every fault is reported at once, as a [*ValidationError] with the variable's key and
// what was expected; a key that no variable has is a fault.
func (i *Integration) ConfigValues(values map[string]any) (map[string]any, error) {
	if i == nil {
		return nil, errors.New("sluice: there is no integration")
	}
	scoped := ConfigPage{Elements: i.ScopedConfigVars}
	return i.parseConfig(append(slices.Clip(i.ConfigPages), scoped), values)
}

// UserLevelConfigValues is ConfigValues for the values that one user gives on the
// user-level config pages.
func (i *Integration) UserLevelConfigValues(values map[string]any) (map[string]any, error) {
	if i == nil {
		return nil, errors.New("sluice: there is no integration")
	}
	return i.parseConfig(i.UserLevelConfigPages, values)
}

// DecodeConfigValues is ConfigValues for values in JSON.
func (i *Integration) DecodeConfigValues(data []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var values map[string]any
	if err := decoder.Decode(&values); err != nil {
		return nil, fmt.Errorf("sluice: config values: %w", err)
	}
	if decoder.More() {
		return nil, errors.New("sluice: config values: data after the JSON object")
	}
	return i.ConfigValues(values)
}

func (i *Integration) parseConfig(pages []ConfigPage, values map[string]any) (map[string]any, error) {
	parsed := make(map[string]any, len(values))
	unknown := maps.Clone(values)
	var faults []Fault
	for configVar := range configVars(pages) {
		definition := configVar.Definition()
		delete(unknown, definition.Key)
		value := values[definition.Key]
		if isNil(value) {
			value = defaultValue(definition)
		}
		if isNil(value) {
			continue
		}
		canonical, err := configVar.parse(i, value)
		if err != nil {
			faults = append(faults, Fault{Path: definition.Key, Message: err.Error()})
			continue
		}
		parsed[definition.Key] = canonical
	}
	for _, key := range slices.Sorted(maps.Keys(unknown)) {
		faults = append(faults, Fault{Path: key, Message: "no such config variable; there are " + known(pages)})
	}
	if len(faults) > 0 {
		return nil, &ValidationError{Subject: fmt.Sprintf("the configuration of integration %q", i.Name), Faults: faults}
	}
	return parsed, nil
}

// known lists the keys of the config variables on the pages.
func known(pages []ConfigPage) string {
	var keys []string
	for configVar := range configVars(pages) {
		keys = append(keys, strconv.Quote(configVar.Definition().Key))
	}
	if len(keys) == 0 {
		return "none"
	}
	return strings.Join(keys, ", ")
}

// defaultValue is the value that stands in for one that is not given; nil is none.
func defaultValue(definition ConfigVarDefinition) any {
	switch fallback := definition.Default.(type) {
	case nil:
		if definition.ScheduleType == ScheduleOnce { // It needs no cron expression.
			return ScheduleValue{ScheduleType: ScheduleOnce}
		}
	case JSONForm:
		return fallback.Data
	case string:
		if definition.DataType == DataTypeSchedule {
			return ScheduleValue{Value: fallback, ScheduleType: definition.ScheduleType, TimeZone: definition.TimeZone}
		}
	}
	return definition.Default
}

// configVars yields the config variables of pages, in order, without elements that are nil.
func configVars(pages []ConfigPage) iter.Seq[ConfigVar] {
	return func(yield func(ConfigVar) bool) {
		for _, page := range pages {
			for _, element := range page.Elements {
				if configVar, ok := variant.Of(element).(ConfigVar); ok && !yield(configVar) {
					return
				}
			}
		}
	}
}
