{#- Returns a hint that distributes rows over tasks: a number of tasks, columns, or both. -#}
{% macro partition_hint(hint, values, columns=true, required=none) %}
    {%- set kinds = ['a number of tasks'] + (['columns'] if columns else []) -%}
    {%- set needed = hint ~ '() takes ' ~ kinds | join(', ') ~ (' or both' if kinds | length > 1 else '') -%}
    {%- set advice = 'write ' ~ hint ~ ('(8)' if not columns else "(8, 'name')") -%}
    {%- if required == 'columns' -%}
        {%- set needed = hint ~ '() takes columns, after a number of tasks if there is one' -%}
    {%- endif -%}
    {%- if not values -%}
        {{- refuse(needed, 'none', advice) -}}
    {%- endif -%}
    {%- set counted = values[0] is not string -%}
    {%- set names = values[1:] if counted else values -%}
    {%- if counted and (values[0] is not integer or values[0] is boolean or not 0 < values[0] <= 2147483647) -%}
        {{- refuse(needed ~ '; the number is whole and at least 1', shown(values[0]), advice) -}}
    {%- endif -%}
    {%- if names and not columns -%}
        {{- refuse(needed ~ ' alone', names | map('string') | join(', '), advice) -}}
    {%- endif -%}
    {%- if required == 'columns' and not names -%}
        {{- refuse(needed, shown(values[0]) ~ ' alone', advice) -}}
    {%- endif -%}
    {%- set arguments = ([values[0]] if counted else []) + ([hint_names(hint, names, 'column')] if names else []) -%}
    {{- return(hint ~ '(' ~ arguments | join(', ') ~ ')') -}}
{% endmacro %}
