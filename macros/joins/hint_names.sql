{#- Returns the names in a hint, checked, quoted and joined by commas. -#}
{% macro hint_names(hint, names, kind) %}
    {%- set example = "write " ~ hint ~ "('name')" -%}
    {%- if not names -%}
        {{- refuse(hint ~ '() takes at least one ' ~ kind, 'none', example) -}}
    {%- endif -%}
    {%- set quoted = [] -%}
    {%- for name in names -%}
        {%- if not is_name(name) -%}
            {{- refuse(hint ~ '() takes names, each ' ~ kind ~ ' as text', shown(name), example) -}}
        {%- endif -%}
        {%- if quoted_name(name) in quoted -%}
            {{- refuse(hint ~ '() takes each ' ~ kind ~ ' once', shown(name) ~ ' twice', 'leave one out') -}}
        {%- endif -%}
        {%- do quoted.append(quoted_name(name)) -%}
    {%- endfor -%}
    {{- return(quoted | join(', ')) -}}
{% endmacro %}
