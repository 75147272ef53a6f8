{% macro target_file_size(mb) %}
    {%- if mb is not integer or mb is boolean or mb < 1 -%}
        {{- penstock__refuse(
            'target_file_size() takes a whole number of MB, at least 1', penstock__shown(mb),
            'write target_file_size(128)'
        ) -}}
    {%- endif -%}
    {{- return({'target_file_size_mb': mb}) -}}
{% endmacro %}
