{% test columns_not_null(model, columns) %}
    select
        {%- for column in columns %}
        count_if({{ column }} is null) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ model }}
    having
        {%- for column in columns %}
        {{ 'or ' if not loop.first }}count_if({{ column }} is null) > 0
        {%- endfor %}
{% endtest %}
