{#- Raises a compilation error with three parts. -#}
{% macro penstock__refuse(needed, found, advice) %}
    {{- exceptions.raise_compiler_error('needed: ' ~ needed ~ '. found: ' ~ found ~ '. do: ' ~ advice) -}}
{% endmacro %}
