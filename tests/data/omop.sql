-- A part of the OMOP common data model 5.4 (https://ohdsi.github.io/CommonDataModel/cdm54.html), as far as a cache of
-- patients' summaries reads it: a schema that nobody made with vitalcache in mind. Names are OMOP's; measurement is
-- partitioned by year, as large installations have it, and providers have UUIDs beside their numbers.
CREATE SCHEMA cdm;

CREATE TABLE cdm.concept (
        concept_id integer PRIMARY KEY,
        concept_name varchar(255) NOT NULL,
        vocabulary_id varchar(20) NOT NULL,
        concept_code varchar(50) NOT NULL
);

CREATE TABLE cdm.provider (
        provider_id integer PRIMARY KEY,
        provider_uuid uuid NOT NULL UNIQUE,
        provider_name varchar(255)
);

CREATE TABLE cdm.person (
        person_id bigint PRIMARY KEY,
        gender_concept_id integer NOT NULL REFERENCES cdm.concept,
        year_of_birth integer NOT NULL,
        month_of_birth integer,
        day_of_birth integer
);

CREATE TABLE cdm.visit_occurrence (
        visit_occurrence_id bigint PRIMARY KEY,
        person_id bigint NOT NULL REFERENCES cdm.person,
        visit_concept_id integer NOT NULL REFERENCES cdm.concept,
        visit_start_date date NOT NULL,
        visit_end_date date NOT NULL,
        provider_uuid uuid REFERENCES cdm.provider (provider_uuid)
);
CREATE INDEX ON cdm.visit_occurrence (person_id);
CREATE INDEX ON cdm.visit_occurrence (provider_uuid);

CREATE TABLE cdm.condition_occurrence (
        condition_occurrence_id bigint PRIMARY KEY,
        person_id bigint NOT NULL REFERENCES cdm.person,
        condition_concept_id integer NOT NULL REFERENCES cdm.concept,
        condition_start_date date NOT NULL,
        condition_end_date date
);
CREATE INDEX ON cdm.condition_occurrence (person_id);

CREATE TABLE cdm.drug_exposure (
        drug_exposure_id bigint PRIMARY KEY,
        person_id bigint NOT NULL REFERENCES cdm.person,
        drug_concept_id integer NOT NULL REFERENCES cdm.concept,
        drug_exposure_start_date date NOT NULL,
        quantity numeric,
        sig text
);
CREATE INDEX ON cdm.drug_exposure (person_id);

CREATE TABLE cdm.observation (
        observation_id bigint PRIMARY KEY,
        person_id bigint NOT NULL REFERENCES cdm.person,
        observation_concept_id integer NOT NULL REFERENCES cdm.concept,
        observation_date date NOT NULL,
        value_as_string varchar(60)
);
CREATE INDEX ON cdm.observation (person_id);

CREATE TABLE cdm.measurement (
        measurement_id bigint NOT NULL,
        person_id bigint NOT NULL REFERENCES cdm.person,
        measurement_concept_id integer NOT NULL REFERENCES cdm.concept,
        measurement_date date NOT NULL,
        value_as_number numeric,
        PRIMARY KEY (measurement_id, measurement_date)
) PARTITION BY RANGE (measurement_date);
CREATE INDEX ON cdm.measurement (person_id);
CREATE TABLE cdm.measurement_2024 PARTITION OF cdm.measurement FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE cdm.measurement_2025 PARTITION OF cdm.measurement FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

INSERT INTO cdm.concept VALUES
        (8507, 'MALE', 'Gender', 'M'), (8532, 'FEMALE', 'Gender', 'F'),
        (9202, 'Outpatient Visit', 'Visit', 'OP'), (9201, 'Inpatient Visit', 'Visit', 'IP'),
        (317009, 'Asthma', 'SNOMED', '195967001'), (201254, 'Type 1 diabetes mellitus', 'SNOMED', '46635009'),
        (1154343, 'albuterol', 'RxNorm', '435'), (3025315, 'Body weight', 'LOINC', '29463-7'),
        (439224, 'Allergy to drug', 'SNOMED', '416098002');
INSERT INTO cdm.provider VALUES
        (1, '6f1a3f0e-5d5c-4a53-9a61-0d8f5b7c2e11', 'Dr. Ada Brandt'),
        (2, '0b9f6f2a-1111-4c0a-8f2e-9a4d3e2b1c00', 'Dr. Luis Ortega');
INSERT INTO cdm.person VALUES (1, 8532, 2011, 4, 30), (2, 8507, 2009, NULL, NULL), (9007199254740993, 8507, 2010, 1, 1);
INSERT INTO cdm.visit_occurrence VALUES
        (10, 1, 9202, '2025-03-01', '2025-03-01', '6f1a3f0e-5d5c-4a53-9a61-0d8f5b7c2e11'),
        (11, 1, 9201, '2025-04-01', '2025-04-03', '0b9f6f2a-1111-4c0a-8f2e-9a4d3e2b1c00'),
        (12, 2, 9202, '2025-05-01', '2025-05-01', '6f1a3f0e-5d5c-4a53-9a61-0d8f5b7c2e11');
INSERT INTO cdm.condition_occurrence VALUES
        (20, 1, 317009, '2015-06-01', NULL), (21, 1, 439224, '2016-01-01', '2018-01-01'),
        (22, 2, 201254, '2020-02-02', NULL);
INSERT INTO cdm.drug_exposure VALUES (30, 1, 1154343, '2025-03-01', 2.5, '2 puffs when needed');
INSERT INTO cdm.observation VALUES (40, 1, 439224, '2016-01-01', 'penicillin');
INSERT INTO cdm.measurement VALUES
        (50, 1, 3025315, '2024-09-01', 41.5), (51, 1, 3025315, '2025-09-01', 44.25), (52, 2, 3025315, '2025-09-01', 60);
