{% macro hint_arguments(hint, names) %}
    {%- if not names -%}
        {{ exceptions.raise_compiler_error(
            hint ~ "() needs at least one name and was given none; write " ~ hint ~ "('name')"
        ) }}
    {%- endif -%}
    {%- for name in names -%}
        {%- if name is not string or not name.isidentifier() -%}
            {{ exceptions.raise_compiler_error(
                hint ~ "() takes names of letters, digits and underscores and was given '" ~ name
                ~ "'; write " ~ hint ~ "('name')"
            ) }}
        {%- endif -%}
    {%- endfor -%}
    {{- return(names | join(', ')) -}}
{% endmacro %}
