package sluice

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sluice-go/sluice/internal/cron"
)

func (StringVar) parseScalar(value any) (string, error) { return parseText(value) }
func (CodeVar) parseScalar(value any) (string, error)   { return parseText(value) }

func (DateVar) parseScalar(value any) (string, error) {
	return parseTime(value, time.DateOnly, "a date such as 2024-02-29")
}

func (TimestampVar) parseScalar(value any) (string, error) {
	if moment, ok := value.(time.Time); ok {
		return moment.Format(time.RFC3339Nano), nil
	}
	return parseTime(value, time.RFC3339, "a time such as 2024-02-29T12:34:56Z")
}

func (v PicklistVar) parseScalar(value any) (string, error) {
	text, err := parseText(value)
	if err != nil {
		return "", err
	}
	if isNil(v.DataSource) && !slices.Contains(v.PickList, text) {
		return "", fmt.Errorf("expected one of %s", quoteAll(v.PickList))
	}
	return text, nil
}

func (BooleanVar) parseScalar(value any) (bool, error) {
	if flag, ok := value.(bool); ok {
		return flag, nil
	}
	return false, expected("a boolean", value)
}

func (NumberVar) parseScalar(value any) (float64, error) { return parseNumber(value) }

func (v StringVar) parse(_ *Integration, value any) (any, error)    { return v.parseScalar(value) }
func (v DateVar) parse(_ *Integration, value any) (any, error)      { return v.parseScalar(value) }
func (v TimestampVar) parse(_ *Integration, value any) (any, error) { return v.parseScalar(value) }
func (v PicklistVar) parse(_ *Integration, value any) (any, error)  { return v.parseScalar(value) }
func (v CodeVar) parse(_ *Integration, value any) (any, error)      { return v.parseScalar(value) }
func (v BooleanVar) parse(_ *Integration, value any) (any, error)   { return v.parseScalar(value) }
func (v NumberVar) parse(_ *Integration, value any) (any, error)    { return v.parseScalar(value) }

func (v ValueListVar[T]) parse(_ *Integration, value any) (any, error) {
	if isNil(v.Element) {
		return nil, errors.New("the list has no Element")
	}
	values, ok := listOf(value)
	if !ok {
		return nil, expected("a list", value)
	}
	list, errs := make([]T, len(values)), make([]error, 0, 1)
	for i, value := range values {
		element, err := v.Element.parseScalar(value)
		if err != nil {
			errs = append(errs, fmt.Errorf("value %d: %w", i, err))
		}
		list[i] = element
	}
	return list, joinErrors(errs)
}

func (v KeyValueListVar[T]) parse(_ *Integration, value any) (any, error) {
	if isNil(v.Element) {
		return nil, errors.New("the list has no Element")
	}
	pairs, ok := Pairs(value)
	if !ok {
		return nil, expected("a list of keys and values", value)
	}
	list, errs := make([]KeyValue[T], len(pairs)), make([]error, 0, 1)
	for i, pair := range pairs {
		element, err := v.Element.parseScalar(pair.Value)
		if err != nil {
			errs = append(errs, fmt.Errorf("value of %q: %w", pair.Key, err))
		}
		list[i] = KeyValue[T]{Key: pair.Key, Value: element}
	}
	return list, joinErrors(errs)
}

func (v ScheduleVar) parse(_ *Integration, value any) (any, error) {
	schedule := ScheduleValue{}
	if text, ok := value.(string); ok {
		schedule.Value = text
	} else if err := reshape(value, &schedule); err != nil {
		return nil, expected("a cron expression or a schedule with value, schedule_type and time_zone", value)
	}
	if schedule.ScheduleType == "" {
		schedule.ScheduleType = ScheduleVar{Default: schedule.Value}.scheduleType()
	}
	if schedule.TimeZone == "" {
		schedule.TimeZone = v.TimeZone
	}
	return schedule, schedule.check()
}

var scheduleTypes = []ScheduleType{
	ScheduleNone, ScheduleOnce, ScheduleCustom, ScheduleMinute, ScheduleHour, ScheduleDay, ScheduleWeek,
}

// check tells whether the schedule can run.
func (s ScheduleValue) check() error {
	switch s.ScheduleType {
	case ScheduleNone, ScheduleOnce:
	case ScheduleCustom, ScheduleMinute, ScheduleHour, ScheduleDay, ScheduleWeek:
		if _, err := cron.Parse(s.Value); err != nil {
			return err
		}
	default:
		return fmt.Errorf("expected a schedule type out of %s", quoteAll(scheduleTypes))
	}
	_, err := cron.Location(s.TimeZone)
	return err
}

func (ObjectSelectionVar) parse(_ *Integration, value any) (any, error) {
	var selection ObjectSelection
	if err := reshape(value, &selection); err != nil {
		return nil, expected("a list of objects with their fields", value)
	}
	return selection, nil
}

func (ObjectFieldMapVar) parse(_ *Integration, value any) (any, error) {
	var fieldMap ObjectFieldMap
	if err := reshape(value, &fieldMap); err != nil {
		return nil, expected("an object with fields that are mapped", value)
	}
	return fieldMap, nil
}

func (HTMLElementVar) parse(_ *Integration, _ any) (any, error) {
	return nil, errors.New("an HTML element has no value")
}

func (v JSONFormVar[T]) parse(_ *Integration, value any) (any, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, expected("a value that JSON can hold", value)
	}
	if v.Default != nil && v.Default.Schema != nil && v.ValidationMode != NoValidation {
		schema, err := compileSchema(v.Default.Schema)
		if err != nil {
			return nil, fmt.Errorf("the schema of the form: %w", err)
		}
		if err := schema.validateJSON(data); err != nil {
			return nil, err
		}
	}
	var typed T
	if err := json.Unmarshal(data, &typed); err != nil {
		return nil, expected(fmt.Sprintf("data that fits %T", typed), value)
	}
	return typed, nil
}

func parseText(value any) (string, error) {
	text, ok := value.(string)
	if !ok {
		if v := reflect.ValueOf(value); v.Kind() == reflect.String && v.Type() != reflect.TypeFor[json.Number]() {
			text, ok = v.String(), true
		}
	}
	switch {
	case !ok:
		return "", expected("a string", value)
	case !utf8.ValidString(text):
		return "", errors.New("expected a string of valid UTF-8")
	}
	return text, nil
}

func parseTime(value any, layout, what string) (string, error) {
	text, ok := value.(string)
	if !ok {
		return "", expected(what, value)
	}
	if _, err := time.Parse(layout, text); err != nil {
		return "", fmt.Errorf("expected %s", what)
	}
	return text, nil
}

func parseNumber(value any) (float64, error) {
	if text, ok := value.(json.Number); ok {
		number, err := text.Float64()
		if err != nil {
			return 0, errors.New("expected a number within the range of a double")
		}
		return number, nil
	}
	switch v := reflect.ValueOf(value); {
	case v.CanInt():
		return float64(v.Int()), nil
	case v.CanUint():
		return float64(v.Uint()), nil
	case v.CanFloat() && (math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0)):
		return 0, errors.New("expected a finite number")
	case v.CanFloat():
		return v.Float(), nil
	}
	return 0, expected("a number", value)
}

// reshape turns a Go value, or one that was decoded from JSON, into *target. Members that
// the target does not know are an error.
func reshape(value, target any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return decoder.Decode(target)
}

// listOf returns the elements of any list.
func listOf(value any) ([]any, bool) {
	if values, ok := value.([]any); ok {
		return values, true
	}
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Slice && v.Kind() != reflect.Array {
		return nil, false
	}
	values := make([]any, v.Len())
	for i := range values {
		values[i] = v.Index(i).Interface()
	}
	return values, true
}

// expected says what was expected and what kind of value was given, never the value.
func expected(what string, value any) error {
	return fmt.Errorf("expected %s, got %s", what, kindOf(value))
}

func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "nothing"
	case json.Number:
		return "a number"
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "a boolean"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "an object"
	default:
		if v.CanInt() || v.CanUint() || v.CanFloat() {
			return "a number"
		}
		return "a " + v.Kind().String()
	}
}

// joinErrors joins errors on one line.
func joinErrors(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	texts := make([]string, len(errs))
	for i, err := range errs {
		texts[i] = err.Error()
	}
	return errors.New(strings.Join(texts, "; "))
}

func quoteAll[T ~string](values []T) string {
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = fmt.Sprintf("%q", string(value))
	}
	return strings.Join(quoted, ", ")
}

// isNil tells whether an interface holds nothing, or a nil pointer, function or map.
func isNil(value any) bool {
	if value == nil {
		return true
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Interface:
		return v.IsNil()
	default:
		return false
	}
}
