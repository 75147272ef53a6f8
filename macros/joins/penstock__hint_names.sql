{#- Returns the names in a hint, checked, quoted and joined by commas. -#}
{% macro penstock__hint_names(hint, names, kind) %}
    {%- set example = "write " ~ hint ~ "('name')" -%}
    {%- if not names -%}
        {{- penstock__refuse(hint ~ '() takes at least one ' ~ kind, 'none', example) -}}
    {%- endif -%}
    {%- set quoted = [] -%}
    {%- for name in names -%}
        {%- if not penstock__is_name(name) -%}
            {{- penstock__refuse(hint ~ '() takes names, each ' ~ kind ~ ' as text', penstock__shown(name), example) -}}
        {%- endif -%}
        {%- if penstock__quoted_name(name) in quoted -%}
            {{- penstock__refuse(hint ~ '() takes each ' ~ kind ~ ' once', penstock__shown(name) ~ ' twice', 'leave one out') -}}
        {%- endif -%}
        {%- do quoted.append(penstock__quoted_name(name)) -%}
    {%- endfor -%}
    {{- return(quoted | join(', ')) -}}
{% endmacro %}
