{#- Returns one column or a list of columns as a list, after checking them. -#}
{% macro penstock__layout_columns(name, columns) %}
    {%- set listed = [columns] if columns is string else columns -%}
    {%- set needed = name ~ '() takes the name of a column or a list of names' -%}
    {%- set advice = 'write ' ~ name ~ "(['pickup_zone_id'])" -%}
    {%- if listed is none or listed is not sequence or listed is mapping or not listed -%}
        {{- penstock__refuse(needed, penstock__shown(columns), advice) -}}
    {%- endif -%}
    {%- set seen = [] -%}
    {%- for column in listed -%}
        {%- if column is not string or not column.isidentifier() -%}
            {{- penstock__refuse(needed, penstock__shown(column), advice) -}}
        {%- endif -%}
        {%- if column | lower in seen -%}
            {{- penstock__refuse(
                name ~ '() takes each column once', penstock__shown(column) ~ ' twice', 'leave one out'
            ) -}}
        {%- endif -%}
        {%- do seen.append(column | lower) -%}
    {%- endfor -%}
    {{- return(listed | list) -}}
{% endmacro %}
