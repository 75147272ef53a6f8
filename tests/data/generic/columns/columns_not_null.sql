{% test columns_not_null(model, columns) %}
    select
        {%- for column in columns %}
        count_if({{ adapter.quote(column) }} is null) as {{ adapter.quote(column) }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ model }}
    having
        {%- for column in columns %}
        {{ 'or ' if not loop.first }}count_if({{ adapter.quote(column) }} is null) > 0
        {%- endfor %}
{% endtest %}
