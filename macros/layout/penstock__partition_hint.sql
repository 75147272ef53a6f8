{#- Returns a hint that distributes rows over tasks: a number of tasks, columns, or both. -#}
{% macro penstock__partition_hint(hint, values, columns=true, required=none) %}
    {%- set kinds = ['a number of tasks'] + (['columns'] if columns else []) -%}
    {%- set needed = hint ~ '() takes ' ~ kinds | join(', ') ~ (' or both' if kinds | length > 1 else '') -%}
    {%- set advice = 'write ' ~ hint ~ ('(8)' if not columns else "(8, 'name')") -%}
    {%- if required == 'columns' -%}
        {%- set needed = hint ~ '() takes columns, after a number of tasks if there is one' -%}
    {%- endif -%}
    {%- if not values -%}
        {{- penstock__refuse(needed, 'none', advice) -}}
    {%- endif -%}
    {%- set counted = values[0] is not string -%}
    {%- set names = values[1:] if counted else values -%}
    {%- if counted and (values[0] is not integer or values[0] is boolean or not 0 < values[0] <= 2147483647) -%}
        {{- penstock__refuse(needed ~ '; the number is whole and at least 1', penstock__shown(values[0]), advice) -}}
    {%- endif -%}
    {%- if names and not columns -%}
        {{- penstock__refuse(needed ~ ' alone', names | map('string') | join(', '), advice) -}}
    {%- endif -%}
    {%- if required == 'columns' and not names -%}
        {{- penstock__refuse(needed, penstock__shown(values[0]) ~ ' alone', advice) -}}
    {%- endif -%}
    {%- set arguments = [values[0]] if counted else [] -%}
    {%- if names -%}
        {%- do arguments.append(penstock__hint_names(hint, names, 'column')) -%}
    {%- endif -%}
    {{- return(hint ~ '(' ~ arguments | join(', ') ~ ')') -}}
{% endmacro %}
