{% macro generate_schema_name(custom_schema_name, node) %}
    {%- set name = (custom_schema_name or target.schema) | trim -%}
    {{- name if target.schema in ('warehouse', name) else target.schema ~ '_' ~ name -}}
{% endmacro %}
