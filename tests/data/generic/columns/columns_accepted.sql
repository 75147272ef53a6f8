{% test columns_accepted(model, accepted) %}
    {%- for column, allowed in accepted.items() %}
    select
        '{{ column }}' as column_name,
        cast({{ adapter.quote(column) }} as string) as value,
        count(*) as rows
    from {{ model }}
    where cast({{ adapter.quote(column) }} as string) not in ('{{ allowed | join("', '") }}')
    group by {{ adapter.quote(column) }}
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
{% endtest %}
