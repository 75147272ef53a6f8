{% test every_number_once(model, column_name, first, last) %}
    {%- set problems -%}
        select
            coalesce(expected.number, held.number) as number,
            case
                when held.number is null then 'missing'
                when expected.number is null then 'not allowed'
                else 'repeated'
            end as problem
        from (select explode(sequence({{ first }}, {{ last }})) as number) as expected
        full outer join (
            select {{ column_name }} as number, count(*) as times
            from {{ model }}
            group by {{ column_name }}
        ) as held
            on expected.number = held.number
        where held.number is null or expected.number is null or held.times > 1
        order by number
    {%- endset -%}

    {#- dbt only reports the number of failing rows, so the error lists the numbers. -#}
    {%- if execute and flags.WHICH in ('build', 'test') -%}
        {%- set found = {} -%}
        {%- for row in run_query(problems).rows -%}
            {%- do found.setdefault(row['problem'], []).append(row['number'] | string) -%}
        {%- endfor -%}
        {%- set parts = [] -%}
        {%- for problem, numbers in found.items() -%}
            {%- set more = ' and ' ~ (numbers | length - 20) ~ ' more' if numbers | length > 20 else '' -%}
            {%- do parts.append(problem ~ ': ' ~ numbers[:20] | join(', ') ~ more) -%}
        {%- endfor -%}
        {%- if parts -%}
            {{ exceptions.raise_compiler_error(
                model.identifier ~ "." ~ column_name ~ " must hold every number from " ~ first
                ~ " to " ~ last ~ " once; found " ~ parts | join('; ') ~ "; correct the rows of "
                ~ model.identifier ~ " and build it again"
            ) }}
        {%- endif -%}
        select 1 as number where false
    {%- else -%}
        {{ problems }}
    {%- endif -%}
{% endtest %}
